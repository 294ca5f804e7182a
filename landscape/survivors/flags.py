"""Flags of `python -m landscape.survivors`, and what can be refused before any work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from landscape.objective.flags import Bounded, Scaled
from minima.store.command import BadInput


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What is measured of each of the Hessians that are compared."""

    masks: int = 3
    """how many random masks"""
    top: int = 5
    """how many eigenvalues of each"""
    tolerance: float = 1e-3
    """relative error allowed in each eigenvalue"""
    trace: int = 32
    """products with random probes for the trace of each; the same probes for all"""

    def check(self) -> None:
        """Refuse counts and tolerances that mean nothing."""
        for flag, value, least in (("top", self.top, 1), ("trace", self.trace, 1), ("masks", self.masks, 0)):
            if value < least:
                raise BadInput(f"--{flag} {value}: expected a number of at least {least}")
        if not self.tolerance > 0:
            raise BadInput(f"--tolerance {self.tolerance}: expected a positive number, such as 1e-3")


@dataclass(frozen=True, kw_only=True)
class Survivors(Comparison, Bounded, Scaled):
    """Flags of `python -m landscape.survivors`."""

    shares_work: ClassVar[bool] = True

    parent: Path
    """the dense checkpoint that the pruned one was made from"""
