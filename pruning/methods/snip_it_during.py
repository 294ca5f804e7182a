"""SNIP-it during training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.composition import Composition
from pruning.context.starts import FromEpoch
from pruning.methods.snip_it import SnipIt
from pruning.schedules.halving import HalvingInTraining
from pruning.scorers.sensitivity import Sensitivity


@dataclass(frozen=True)
class SnipItDuring(SnipIt):
    """SNIP in steps that each halve what is left of the way to the sparsity, every few epochs of training."""

    name: ClassVar[str] = "snip-it-during"
    phase: ClassVar = "during training"
    summary: ClassVar[str] = "least |w dL/dw| in halving cuts every few epochs of training"

    every: int | None = None
    """epochs between cuts (default: a twentieth of the run; the paper's code: 4 of 80)"""
    delay: int | None = None
    """epochs before they begin to count (default: as --every)"""

    def composition(self) -> Composition:
        schedule = HalvingInTraining(self.steps, self.every, self.delay)
        return Composition(scorer=Sensitivity(self.probe), schedule=schedule, start=FromEpoch(0))
