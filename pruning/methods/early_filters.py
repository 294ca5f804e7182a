"""Whole units early in training, once their choice is stable (EPI)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import tyro

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.criterion import criteria_help, criterion_named
from pruning.context.starts import StartFlag, start_at
from pruning.schedules.any_epoch import AnyEpoch
from pruning.spaces.units import Units
from pruning.triggers.stability import Stability


@dataclass(frozen=True)
class EarlyFilters(Method):
    """Remove the least important channels, neurons and heads of the whole network at once in the midst of training, as
    soon as the number of units that each layer would keep hardly changes any more from epoch to epoch (the early
    pruning indicator).
    """

    name: ClassVar[str] = "early-filters"
    phase: ClassVar = "during training"
    summary: ClassVar[str] = "least important units at once in training, when the number each layer keeps is stable"
    paper: ClassVar[str] = "Shen et al. 2022"
    remedy: ClassVar[str] = "more --epochs, or a smaller --tau or --past"

    start: StartFlag = "initialisation"
    criterion: Annotated[
        str, tyro.conf.arg(help=f"by which units are ranked, the lowest going first. {criteria_help()}")
    ] = "l2"
    tau: float = 0.983
    """how alike the numbers of units that layers would keep must be to those of the epochs before, from 0 (nothing in
    common) to 1 (equal)"""
    past: int = 5
    """over how many epochs before this likeness is averaged"""
    least: int = 1
    """units that every layer keeps; 0: whole layers may go"""

    def composition(self) -> Composition:
        return Composition(
            scorer=criterion_named(self.criterion),
            schedule=AnyEpoch(),
            trigger=Stability(self.tau, self.past),
            space=Units(least=self.least),
            start=start_at(self.start),
        )
