"""The flags of `python -m entropy.psp` as a request to the counting pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entropy.information.request import PUBLISHED_CLAMP, Request, Together
from minima.store.command import BadInput

if TYPE_CHECKING:
    from torch import Tensor

    from entropy.psp.flags import Counting
    from minima.zoo.examples.evaluation import Level
    from minima.zoo.subject.subject import Subject


def request_of(counting: Counting, seed: int, subject: Subject, memory: float, level: Level) -> Request:
    """What is asked for, within so many GiB, `level` looking on at the network's outputs."""
    if counting.permutations < 0:
        raise BadInput(f"--permutations {counting.permutations}: expected 0 or more")

    def see(logits: Tensor, rows: Tensor) -> None:
        if subject.y is not None:
            level.add(subject.task.picked(logits), subject.y[rows.to(subject.y.device)])

    return Request(
        together=Together(counting.order, counting.tuples, seed, counting.pairs),
        clamp=PUBLISHED_CLAMP if counting.compat == "published" else 0.0,
        permutations=counting.permutations,
        selectivity=counting.selectivity,
        ties=counting.ties,
        memory=memory,
        output=see,
        picked=subject.task.picked,
    )
