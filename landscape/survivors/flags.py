"""Flags of `python -m landscape.survivors`, and what can be refused before any work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from landscape.objective.flags import Bounded, Scaled

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, kw_only=True)
class Survivors(Bounded, Scaled):
    """Flags of `python -m landscape.survivors`."""

    shares_work: ClassVar[bool] = True

    parent: Path
    """the dense checkpoint that the pruned one was made from"""
    masks: int = 3
    """how many random masks"""
    top: int = 5
    """how many eigenvalues of each"""
    tolerance: float = 1e-3
    """relative error allowed in each eigenvalue"""
    trace: int = 32
    """products with random probes for the trace of each; the same probes for all"""
