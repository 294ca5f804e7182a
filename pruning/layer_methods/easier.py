"""EASIER."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from pruning.composition.layer_method import LayerMethod


@dataclass(frozen=True)
class Easier(LayerMethod):
    """Till the layers collapse: put out the rectifier of the layer of lowest entropy, train, and again, as long as the
    score falls by no more than --drop. A neuron is on where its potential is 0 or more; a layer's entropy is the mean
    over its channels of that of how often they are on, positions pooled, over the whole training part (the published
    code averages over the batches of the last epoch, with the weights on the move).

    One rectifier goes in each round, the first of equals. Linear layers that then stand beside each other become one
    where that is exact.
    """

    name: ClassVar[str] = "easier"
    summary: ClassVar[str] = "the rectifier of the layer of lowest entropy goes, round after round, with training"
    paper: ClassVar[str] = "Quétu et al. 2024 (EASIER)"
    estimator: ClassVar[str] = "easier"
    parts: ClassVar[tuple[str, ...]] = ("layer entropy", "identity", "training", "merger of linear layers")

    order: Literal["lowest", "highest"] = "lowest"
    """which layer goes first; highest: a control, not the method"""

    def next(self, entropies: Mapping[str, float]) -> list[str]:
        """The layer of the lowest entropy.

        >>> Easier().next({"conv1": 0.5, "conv2": 0.4, "fc": 0.4})
        ['conv2']
        """
        choose = min if self.order == "lowest" else max
        return [choose(entropies, key=lambda name: entropies[name])] if entropies else []
