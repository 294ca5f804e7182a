"""Trials that change a network's weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruning.robustness.level import Level, mean_level
from pruning.robustness.trial import Trial

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.robustness.bench import Bench


@dataclass(frozen=True)
class WeightTrial(Trial):
    """Base of the trials that put other weights of convolutions and linear layers in the place of a network's."""

    @property
    def repeats(self) -> int:
        """How often it is drawn at each level."""
        return 1

    def at(self, bench: Bench, level: float, seed: int, draw: int) -> Mapping[str, Tensor]:
        """The weights at a level, by parameter name."""
        raise NotImplementedError

    def measure(self, bench: Bench, levels: Sequence[float], seed: int) -> list[Level]:
        """Loss and score with the weights of every draw, and a watermark's bits where there is one."""
        return [
            self._level(bench, [self.at(bench, level, seed, draw) for draw in range(self.repeats)]) for level in levels
        ]

    def _level(self, bench: Bench, drawn: Sequence[Mapping[str, Tensor]]) -> Level:
        errors = [bench.bit_error(weights) for weights in drawn]
        return mean_level([bench.at_weights(weights) for weights in drawn], errors)
