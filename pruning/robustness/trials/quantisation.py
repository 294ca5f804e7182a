"""Uniform quantisation of the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pruning.robustness.of_weights import WeightTrial

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.robustness.bench import Bench


@dataclass(frozen=True)
class Quantisation(WeightTrial):
    """d round(w / d) with d = max|w| / (2^(bits - 1) - 1): symmetric levels, 0 among them, to the nearest (of two as
    near, to the even multiple). Weights of convolutions and linear layers; biases and normalisation stay. 0 stays 0."""

    name: ClassVar[str] = "quantisation"
    meaning: ClassVar[str] = "uniform quantisation of the weights"
    strength: ClassVar[str] = "bits of a weight"
    clean: ClassVar[float] = 32.0

    levels: tuple[float, ...] = (8, 6, 5, 4, 3, 2)
    """bits of a weight, 2 or more"""
    per: Literal["tensor", "filter"] = "tensor"
    """what has a step size of its own: each tensor, or each filter (a slice along the first axis)"""

    def allows(self, level: float) -> bool:
        return float(level).is_integer() and 2 <= level < self.clean

    def at(self, bench: Bench, level: float, seed: int, draw: int) -> Mapping[str, Tensor]:  # noqa: ARG002
        return {name: quantised(weight, int(level), self.per) for name, weight in bench.weights.items()}


def quantised(weight: Tensor, bits: int, per: Literal["tensor", "filter"] = "tensor") -> Tensor:
    """The nearest of 2^bits - 1 equally spaced values, symmetric about 0, the largest weight being one of them.

    >>> import torch
    >>> quantised(torch.tensor([-3.0, 0.0, 1.6, 0.4]), bits=3).tolist()
    [-3.0, 0.0, 2.0, 0.0]
    """
    exact = weight.double()
    axes = tuple(range(1 if per == "filter" else 0, weight.ndim))
    step = exact.abs().amax(axes, keepdim=True) / (2 ** (bits - 1) - 1)
    counts = (exact / step).nan_to_num(nan=0.0).round()
    return (counts * step).to(weight.dtype)
