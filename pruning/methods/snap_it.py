"""SNAP-it before training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.composition import Composition
from pruning.context.starts import FromEpoch
from pruning.methods.snip_it import SnipIt
from pruning.schedules.halving import Halving
from pruning.spaces.units import Units
from pruning.unit_criteria.gate import Gate


@dataclass(frozen=True)
class SnapIt(SnipIt):
    """Remove whole channels, neurons and heads in several cuts before training, each halving what is left of the way to
    the target; for each, the elasticities |dL/da| of gates on the units are computed anew.

    They are those of the cross-entropy, where the published code takes the mean output at the label. As there, inputs
    and outputs of the network stay, and so does the best unit of every layer.
    """

    name: ClassVar[str] = "snap-it"
    summary: ClassVar[str] = "units with the least |dL/da| of a gate, scored anew for each of several halving cuts"

    def composition(self) -> Composition:
        return Composition(scorer=Gate(self.probe), schedule=Halving(self.steps), start=FromEpoch(0), space=Units())
