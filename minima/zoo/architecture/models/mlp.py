"""Multilayer perceptron with ReLU."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, ClassVar

from minima.zoo.architecture.architecture import Architecture

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class MLP(Architecture):
    """Fully connected layers fc1, fc2, ... with ReLU in between, on flattened input."""

    name: ClassVar[str] = "mlp"
    hidden: tuple[int, ...] = (64, 32)
    """units of the hidden layers"""

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        from torch import nn

        widths = (prod(input_shape), *self.hidden, classes)
        layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
        for index, (fan_in, fan_out) in enumerate(pairwise(widths), start=1):
            layers[f"fc{index}"] = nn.Linear(fan_in, fan_out)
            if index < len(widths) - 1:
                layers[f"relu{index}"] = nn.ReLU()
        return nn.Sequential(layers)
