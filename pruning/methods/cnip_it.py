"""CNIP-it before training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.composition import Composition
from pruning.context.starts import FromEpoch
from pruning.methods.snip_it import SnipIt
from pruning.schedules.halving import Halving
from pruning.spaces.units_and_weights import UnitsAndWeights
from pruning.unit_criteria.elasticities import Elasticities


@dataclass(frozen=True)
class CnipIt(SnipIt):
    """Remove single weights and whole units in several cuts before training, each halving what is left of the way to
    the target, by one threshold over the elasticities |w dL/dw| of the weights and |dL/da| of gates on the units. A
    weight that goes both ways counts once: the threshold is the one at which the share removed is the one asked for.

    They are those of the cross-entropy, where the published code takes the mean output at the label, and a fraction of
    all scores in the place of a fraction of the weights.
    """

    name: ClassVar[str] = "cnip-it"
    summary: ClassVar[str] = "single weights and whole units by one threshold on their elasticities, in halving cuts"

    def composition(self) -> Composition:
        return Composition(
            scorer=Elasticities(self.probe),
            schedule=Halving(self.steps),
            start=FromEpoch(0),
            space=UnitsAndWeights(),
        )
