"""Gaussian noise on the weights, relative to their size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pruning.robustness.of_weights import WeightTrial

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.robustness.bench import Bench


@dataclass(frozen=True)
class WeightNoise(WeightTrial):
    """w + level x ||w_f|| / sqrt(k) x n, n standard normal: of the k weights of each filter f (a slice along the first
    axis) that move, so that the noise has the relative size E||noise||^2 = level^2 ||w_f||^2.

    Weights of convolutions and linear layers; biases and normalisation stay. The n are the same at every level, and for
    networks of one shape whatever their masks.
    """

    name: ClassVar[str] = "weight_noise"
    meaning: ClassVar[str] = "Gaussian noise on the weights"
    strength: ClassVar[str] = "relative size of the noise"

    levels: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4)
    """sizes of the noise relative to the weights"""
    relative_to: Literal["filter", "tensor"] = "filter"
    """whose norm the noise is relative to: each filter's, or the whole tensor's"""
    removed: Literal["stay", "move"] = "stay"
    """whether weights that pruning removed stay at 0 or get noise as well"""
    draws: int = 5
    """of the noise"""

    @property
    def repeats(self) -> int:
        return self.draws

    def at(self, bench: Bench, level: float, seed: int, draw: int) -> Mapping[str, Tensor]:
        return {name: self._noisy(bench, name, weight, level, seed, draw) for name, weight in bench.weights.items()}

    def _noisy(self, bench: Bench, name: str, weight: Tensor, level: float, seed: int, draw: int) -> Tensor:
        import torch

        from pruning.robustness.draws import drawn_like

        mask = bench.masks[name] if self.removed == "stay" else torch.ones_like(weight, dtype=torch.bool)
        axes = tuple(range(1 if self.relative_to == "filter" else 0, weight.ndim))
        moving = mask.double().sum(axes, keepdim=True).clamp(min=1)
        deviation = (weight.double().square().sum(axes, keepdim=True) / moving).sqrt()
        noise = drawn_like("normal", weight, seed, "weight noise", draw, name).to(weight)
        return weight + (level * deviation * mask).to(weight) * noise
