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
    """ICE-Pruning, with single weights: prune layer after layer, each by the same fraction; after a layer, fine-tune
    for an epoch only where the validation accuracy has suffered, at a rate that falls as the network empties, and
    without the layers that hardly change. After the last layer, fine-tune for --final-epochs at twice the rate.

    The published method removes filters, and learns from the outputs of the unpruned network beside the labels; this is
    its course with single weights and the plain loss.
    """

    name: ClassVar[str] = "ice"
    phase: ClassVar = "after training"
    summary: ClassVar[str] = "layer by layer, an epoch of fine-tuning only where accuracy has suffered"
    paper: ClassVar[str] = "Hu et al. 2025"
    remedy: ClassVar[str] = "more --epochs (a layer takes one at most) or a larger --threshold"

    threshold: float = 1.5
    """how far the validation accuracy may fall below the parent's, in percentage points, before fine-tuning is called
    for; under another loss how far its score may, in hundredths, or where it has none, how far the loss may rise, in
    percent"""
    freeze: float = 0.3
    """fraction of the layers that are not fine-tuned: those whose weights changed least in an epoch of training after
    the first cut, which is then taken back"""
    centre: float = 0.15
    """sparsity of the network at which the learning rate has fallen half of its way"""
    steepness: float = 50.0
    """how suddenly the learning rate falls there: the exponent beta of the published rule"""
    drop: float = 0.7
    """how far the learning rate falls in all, as a fraction of the rate at the start"""
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
