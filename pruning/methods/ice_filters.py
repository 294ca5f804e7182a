"""ICE-Pruning, over filters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import tyro

from pruning.composition.composition import Composition
from pruning.context.criterion import criteria_help, criterion_named
from pruning.methods.ice import Ice
from pruning.recoveries.aware_rate import AwareRate
from pruning.schedules.layer_walk import LayerWalk
from pruning.scopes.next_layer import NextLayer
from pruning.spaces.units import Units
from pruning.triggers.accuracy_drop import AccuracyDrop
from pruning.updates.distillation import Distillation


@dataclass(frozen=True)
class IceFilters(Ice):
    """ICE-Pruning: prune layer after layer, each by the same fraction of its filters; after a layer, fine-tune for an
    epoch only where the validation accuracy has suffered, at a rate that falls as the network empties, without the
    layers that hardly change, and learning from the outputs of the unpruned network beside the labels. After the last
    layer, fine-tune for --final-epochs at twice the rate.

    Other than the published code, which knows the layers of its architectures, this prunes the groups of channels,
    neurons and heads of any network. Its search for --threshold, --freeze, --lr, --centre, --steepness and --drop is a
    command: python -m pruning.tuning.
    """

    name: ClassVar[str] = "ice-filters"
    summary: ClassVar[str] = "filters layer by layer, an epoch of fine-tuning only where accuracy has suffered"

    criterion: Annotated[
        str, tyro.conf.arg(help=f"by which units are ranked, the lowest going first. {criteria_help()}")
    ] = "l1"
    distil: bool = True
    """learn from the outputs of the unpruned network as well, softened by a temperature of 2"""
    least: int = 1
    """units that every layer keeps; 0: whole layers may go"""

    def composition(self) -> Composition:
        return Composition(
            scorer=criterion_named(self.criterion),
            schedule=LayerWalk(),
            scope=NextLayer(),
            trigger=AccuracyDrop(self.threshold),
            recovery=AwareRate(self.freeze, self.centre, self.steepness, self.drop, self.final_epochs),
            teacher=Distillation() if self.distil else None,
            space=Units(least=self.least),
        )
