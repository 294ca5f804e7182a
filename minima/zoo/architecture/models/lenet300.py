"""LeNet-300-100 (LeCun et al. 1998)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from minima.zoo.architecture.architecture import Architecture
from minima.zoo.architecture.models.mlp import MLP

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class LeNet300(Architecture):
    """Two hidden layers of 300 and 100 units with ReLU; 266,610 parameters on MNIST."""

    name: ClassVar[str] = "lenet300"

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        return MLP(hidden=(300, 100)).build(input_shape, classes)
