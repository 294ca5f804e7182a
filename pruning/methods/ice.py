"""ICE-Pruning, on single weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.recoveries.aware_rate import AwareRate
from pruning.schedules.layer_walk import LayerWalk
from pruning.scopes.next_layer import NextLayer
from pruning.scorers.magnitude import Magnitude
from pruning.triggers.accuracy_drop import AccuracyDrop


@dataclass(frozen=True)
class Ice(Method):
    """Prune layer after layer; fine-tune for an epoch only where validation accuracy has suffered, at a rate that
    falls as the network empties, and without the layers that hardly change.

    The published method removes filters and distils the unpruned network into the pruned one; this is its course with
    single weights and the plain loss. The run ends when the last layer is pruned and needs no training any more:
    --epochs limits it.
    """

    name: ClassVar[str] = "ice"
    phase: ClassVar = "after training"
    summary: ClassVar[str] = "layer by layer, an epoch of fine-tuning only where accuracy has suffered"
    paper: ClassVar[str] = "Hu et al. 2025"
    remedy: ClassVar[str] = "more --epochs (a layer takes one at most) or a larger --threshold"

    threshold: float = 1.5
    """fall of the validation accuracy below that of the parent, in percentage points, that calls for fine-tuning"""
    freeze: float = 0.3
    """fraction of the layers, those that changed least in an epoch of trial, that are not fine-tuned"""
    centre: float = 0.15
    """sparsity at which the rate has fallen half of its way"""
    steepness: float = 50.0
    """how suddenly it falls there"""
    drop: float = 0.7
    """how far it falls, as a fraction of the rate at the start"""
    final_epochs: int | None = None
    """epochs of fine-tuning after the last layer, at twice the rate that the sparsity then reached calls for (default:
    all that are left of --epochs)"""

    def composition(self) -> Composition:
        return Composition(
            scorer=Magnitude(),
            schedule=LayerWalk(),
            scope=NextLayer(),
            trigger=AccuracyDrop(self.threshold),
            recovery=AwareRate(self.freeze, self.centre, self.steepness, self.drop, self.final_epochs),
        )
