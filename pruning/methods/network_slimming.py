"""Network slimming."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.starts import StartFlag, start_at
from pruning.recoveries.fresh_optimiser import FreshOptimiser
from pruning.schedules.late_cut import LateCut
from pruning.scopes.whole_network import WholeNetwork
from pruning.spaces.units import Units
from pruning.unit_criteria.batch_norm import BatchNorm
from pruning.updates.scale_penalty import ScalePenalty


@dataclass(frozen=True)
class NetworkSlimming(Method):
    """Train with a penalty on the scales gamma of batch normalisations, then remove the channels with the smallest
    |gamma| of the whole network at once, and fine-tune for the rest of the epochs, with the penalty still on.
    """

    name: ClassVar[str] = "network-slimming"
    phase: ClassVar = "during training"
    summary: ClassVar[str] = "a penalty on the scales of batch normalisation; channels with the smallest go at once"
    paper: ClassVar[str] = "Liu et al. 2017"

    start: StartFlag = "initialisation"
    strength: float = 1e-4
    """factor of the sum of |gamma| that is added to the loss"""
    cut_at: float = 0.5
    """fraction of the epochs after which the channels go"""
    least: int = 1
    """units that every layer keeps; 0: whole layers may go"""

    def composition(self) -> Composition:
        return Composition(
            scorer=BatchNorm(),
            schedule=LateCut(self.cut_at),
            scope=WholeNetwork(),
            space=Units(least=self.least),
            update=ScalePenalty(self.strength),
            recovery=FreshOptimiser(goes_on=True),
            start=start_at(self.start),
        )
