"""Gaussian noise on the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.robustness.level import Level, mean_level
from pruning.robustness.trial import Trial

if TYPE_CHECKING:
    from minima.zoo.examples.evaluation import Evaluation
    from pruning.robustness.bench import Bench, Chunk
    from pruning.robustness.points import Points


@dataclass(frozen=True)
class InputNoise(Trial):
    """u + level x n with n standard normal for each number, clipped to the inputs' range; the same n at every level."""

    name: ClassVar[str] = "input_noise"
    meaning: ClassVar[str] = "Gaussian noise on the inputs"
    strength: ClassVar[str] = "standard deviation of the noise"

    levels: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4)
    """standard deviations, in units of the inputs before --mean and --std"""
    draws: int = 5
    """of the noise, each for all examples"""

    def measure(self, bench: Bench, levels: Sequence[float], seed: int) -> list[Level]:
        return [mean_level([self._at(bench, level, seed, draw) for draw in range(self.draws)]) for level in levels]

    def _at(self, bench: Bench, level: float, seed: int, draw: int) -> Evaluation:
        from pruning.robustness.draws import for_points

        def noisy(chunk: Chunk) -> Points:
            noise = for_points("normal", chunk.points, chunk.rows, seed, "input noise", draw)
            return [
                bench.scale.clipped(leaf + bench.scale.times(level, leaf) * own)
                for leaf, own in zip(chunk.points, noise, strict=True)
            ]

        return bench.at_inputs(noisy)
