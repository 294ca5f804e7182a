"""How passes without derivatives are computed: in which form, how many examples at once, by how many threads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, get_args

from minima.store.command import BadInput

Form = Literal["module", "folded module", "traced", "folded", "fused", "tiled", "compiled"]
"""the network as it is; norms folded as the pass goes; the graph of a pass as it is; with norms folded; with
convolutions, sums and ReLUs in one besides; and 3x3 convolutions in tiles; with norms folded and compiled"""


@dataclass(frozen=True)
class PassPlan:
    """A way of computing passes: in what form, and how many examples at once. The numbers agree to rounding, whichever
    it is.
    """

    form: Form
    chunk: int
    """examples at once"""
    threads: int
    channels_last: bool = False
    """images and kernels lie in memory with channels last"""

    def __str__(self) -> str:
        """Said in a line.

        >>> str(PassPlan("fused", 64, 1, channels_last=True))
        'fused, channels last, 64 examples at once, 1 thread(s)'
        """
        layout = ", channels last" if self.channels_last else ""
        return f"{self.form}{layout}, {self.chunk} examples at once, {self.threads} thread(s)"

    @classmethod
    def parse(cls, text: str) -> PassPlan:
        """The plan that `str(plan)` was made of.

        >>> PassPlan.parse("fused, channels last, 64 examples at once, 1 thread(s)")
        PassPlan(form='fused', chunk=64, threads=1, channels_last=True)
        """
        found = re.fullmatch(r"([a-z ]+?)(, channels last)?, (\d+) examples at once, (\d+) thread\(s\)", text.strip())
        if not found or found[1] not in get_args(Form) or not int(found[3]) or not int(found[4]):
            raise BadInput(
                f"--plan {text!r}: expected what `plan` in a result says, such as\n"
                f"--plan '{cls('fused', 64, 1, channels_last=True)}'; forms are {', '.join(get_args(Form))}"
            )
        return cls(found[1], int(found[3]), int(found[4]), bool(found[2]))  # type: ignore[arg-type]


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let torch use that many threads inside the block."""
    import torch

    before = torch.get_num_threads()
    if count != before:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if count != before:
            torch.set_num_threads(before)
