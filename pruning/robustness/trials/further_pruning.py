"""Magnitude pruning of what is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.counts import alive_count, kept_count
from pruning.robustness.of_weights import WeightTrial
from pruning.selection.ranking import keep_highest

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.robustness.bench import Bench


@dataclass(frozen=True)
class FurtherPruning(WeightTrial):
    """Of the K weights that are left of convolutions and linear layers, the round(level K) smallest in magnitude become
    0, over all layers together and without retraining; of equal ones the last of the network go first."""

    name: ClassVar[str] = "further_pruning"
    meaning: ClassVar[str] = "smallest weights left set to 0"
    strength: ClassVar[str] = "share of the weights left, removed"

    levels: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8, 0.9)
    """shares of the weights that are left"""

    def allows(self, level: float) -> bool:
        return 0 < level < 1

    def at(self, bench: Bench, level: float, seed: int, draw: int) -> Mapping[str, Tensor]:  # noqa: ARG002

        alive = bench.masks
        kept = kept_count(alive_count(alive), level)
        sizes = {name: weight.abs() for name, weight in bench.weights.items()}
        masks = keep_highest(sizes, alive, [(tuple(sizes), kept)])
        return {name: weight * masks[name] for name, weight in bench.weights.items()}
