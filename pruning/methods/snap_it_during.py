"""SNAP-it during training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.composition import Composition
from pruning.context.starts import FromEpoch
from pruning.methods.snip_it_during import SnipItDuring
from pruning.recoveries.fresh_optimiser import FreshOptimiser
from pruning.schedules.halving import HalvingInTraining
from pruning.spaces.units import Units
from pruning.unit_criteria.gate import Gate


@dataclass(frozen=True)
class SnapItDuring(SnipItDuring):
    """Remove whole channels, neurons and heads in several cuts during training, every few epochs, each halving what is
    left of the way to the target, by the elasticities |dL/da| of gates on the units. After a cut the optimiser starts
    anew, as in the published code, and training goes on at the rate that the recipe then has.

    The elasticities are those of the cross-entropy, where the published code takes the mean output at the label.
    """

    name: ClassVar[str] = "snap-it-during"
    summary: ClassVar[str] = "units with the least |dL/da| of a gate in halving cuts every few epochs of training"

    def composition(self) -> Composition:
        schedule = HalvingInTraining(self.steps, self.every, self.delay)
        return Composition(
            scorer=Gate(self.probe),
            schedule=schedule,
            start=FromEpoch(0),
            space=Units(),
            recovery=FreshOptimiser(goes_on=True),
        )
