"""Gradual magnitude pruning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.starts import StartName, start_at
from pruning.schedules.cubic import Cubic
from pruning.scorers.magnitude import Magnitude


@dataclass(frozen=True)
class GMP(Method):
    """Remove the smallest weights while training goes on, fewer and fewer at each cut (cubic schedule)."""

    name: ClassVar[str] = "gmp"
    phase: ClassVar = "during training"
    summary: ClassVar[str] = "smallest weights while training goes on, on a cubic schedule"
    paper: ClassVar[str] = "Zhu & Gupta 2018"

    start: StartName = "parent"
    """parent: its trained weights, at the final rate; initialisation: its weights of epoch 0, by its recipe"""
    frequency: int | None = None
    """steps between cuts (default: a hundredth of the run)"""
    begin: float = 0.0
    """fraction of the run before the schedule starts"""
    end: float = 0.75
    """fraction of the run at which the target is reached"""

    def composition(self) -> Composition:
        schedule = Cubic(self.frequency, self.begin, self.end)
        return Composition(scorer=Magnitude(), schedule=schedule, start=start_at(self.start))
