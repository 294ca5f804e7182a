"""3SP: structured pruning before training by saliency for each multiply-add."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import tyro

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.probe import Probe
from pruning.context.starts import FromEpoch
from pruning.schedules.one_shot import OneShot
from pruning.scorers.per_cost import PerCost
from pruning.spaces.units import Units
from pruning.unit_criteria.gate import Gate


@dataclass(frozen=True)
class ThreeSP(Method):
    """Remove whole channels, neurons and heads before training, all at once: those with the least |dL/da| / cost, a = 1
    being a gate on the unit and the cost the multiply-adds that the network saves if it goes.

    Of the paper only the abstract could be read: the saliency for each multiply-add, from one mini-batch, is its; what
    exactly the saliency is was written down from memory.
    """

    name: ClassVar[str] = "3sp"
    phase: ClassVar = "before training"
    summary: ClassVar[str] = "units with the least |dL/da| for each multiply-add that they cost, at initialisation"
    paper: ClassVar[str] = "van Amersfoort et al. 2020 (its formulas from memory)"

    probe: Annotated[Probe, tyro.conf.arg(name="")] = field(default_factory=Probe)

    def composition(self) -> Composition:
        return Composition(scorer=PerCost(Gate(self.probe)), schedule=OneShot(), start=FromEpoch(0), space=Units())
