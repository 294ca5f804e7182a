"""The flags of `python -m entropy.psp` as a request to the counting pass."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from entropy.information.request import PUBLISHED_CLAMP, Request, Together
from minima.store.command import BadInput

if TYPE_CHECKING:
    from torch import Tensor

    from entropy.psp.flags import Counting
    from minima.zoo.examples.evaluation import Level
    from minima.zoo.subject.subject import Subject


def asked(counting: Counting, seed: int) -> Request:
    """What is to be measured beside the first order, as the flags say it."""
    if counting.permutations < 0:
        raise BadInput(f"--permutations {counting.permutations}: expected 0 or more")
    return Request(
        together=Together(counting.order, counting.tuples, seed, counting.pairs),
        clamp=PUBLISHED_CLAMP if counting.compat == "published" else 0.0,
        permutations=counting.permutations,
        selectivity=counting.selectivity,
        ties=counting.ties,
    )


def request_of(counting: Counting, seed: int, subject: Subject, level: Level, **room: Any) -> Request:
    """What is to be measured of a subject as the flags say it, `level` looking on at the network's outputs; `room`:
    `memory` and `results`.
    """

    def see(logits: Tensor, rows: Tensor) -> None:
        if subject.y is not None:
            level.add(subject.task.picked(logits), subject.y[rows.to(subject.y.device)])

    return replace(asked(counting, seed), **room, output=see, picked=subject.task.picked)
