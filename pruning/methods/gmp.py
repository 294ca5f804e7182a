"""Gradual magnitude pruning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.starts import StartFlag, start_at
from pruning.schedules.cubic import Cubic
from pruning.scorers.magnitude import Magnitude


@dataclass(frozen=True)
class GMP(Method):
    """Gradual magnitude pruning: remove the smallest weights while training goes on, many at first and fewer at each
    further cut. After the fraction t of the way, the sparsity is 1 - (1 - t)^3 of the one asked for."""

    name: ClassVar[str] = "gmp"
    phase: ClassVar = "during training"
    summary: ClassVar[str] = "smallest weights while training goes on, on a cubic schedule"
    paper: ClassVar[str] = "Zhu & Gupta 2018"

    start: StartFlag = "parent"
    frequency: int | None = None
    """steps of the optimiser from one cut to the next (default: a hundredth of the run)"""
    begin: float = 0.0
    """fraction of the run that passes before the first cut"""
    end: float = 0.75
    """fraction of the run at which the sparsity asked for is reached"""

    def composition(self) -> Composition:
        schedule = Cubic(self.frequency, self.begin, self.end)
        return Composition(scorer=Magnitude(), schedule=schedule, start=start_at(self.start))
