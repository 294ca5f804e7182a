"""CNIP-it during training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.composition import Composition
from pruning.context.starts import FromEpoch
from pruning.methods.snip_it_during import SnipItDuring
from pruning.recoveries.fresh_optimiser import FreshOptimiser
from pruning.schedules.halving import HalvingInTraining
from pruning.spaces.units_and_weights import UnitsAndWeights
from pruning.unit_criteria.elasticities import Elasticities


@dataclass(frozen=True)
class CnipItDuring(SnipItDuring):
    """Remove single weights and whole units in several cuts during training, every few epochs, each halving what is
    left of the way to the target, by one threshold over the elasticities |w dL/dw| of the weights and |dL/da| of gates
    on the units. After a cut the optimiser starts anew, and training goes on at the rate that the recipe then has.

    The elasticities are those of the cross-entropy, where the published code takes the mean output at the label.
    """

    name: ClassVar[str] = "cnip-it-during"
    summary: ClassVar[str] = "single weights and whole units by one threshold, in halving cuts every few epochs"

    def composition(self) -> Composition:
        schedule = HalvingInTraining(self.steps, self.every, self.delay)
        return Composition(
            scorer=Elasticities(self.probe),
            schedule=schedule,
            start=FromEpoch(0),
            space=UnitsAndWeights(),
            recovery=FreshOptimiser(goes_on=True),
        )
