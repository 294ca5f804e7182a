"""How passes without derivatives are computed: in which form, how many examples at once, by how many threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

Form = Literal["module", "folded module", "traced", "folded", "fused", "compiled"]
"""the network as it is; norms folded as the pass goes; the graph of a pass as it is; with norms folded; with
convolutions, sums and ReLUs in one besides; with norms folded and compiled"""


@dataclass(frozen=True)
class Choice:
    """One way; the numbers agree to rounding, whichever it is."""

    form: Form
    chunk: int
    """examples at once"""
    threads: int
    channels_last: bool = False
    """images and kernels lie in memory with channels last"""

    def __str__(self) -> str:
        """Said in a line.

        >>> str(Choice("fused", 64, 1, channels_last=True))
        'fused, channels last, 64 examples at once, 1 thread(s)'
        """
        layout = ", channels last" if self.channels_last else ""
        return f"{self.form}{layout}, {self.chunk} examples at once, {self.threads} thread(s)"


@contextmanager
def threads(count: int) -> Iterator[None]:
    """That many threads of torch inside the block."""
    import torch

    before = torch.get_num_threads()
    if count != before:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if count != before:
            torch.set_num_threads(before)
