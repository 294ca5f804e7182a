"""ResNet-20 with stable residuals (Hayou et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from minima.zoo.architecture.images import image_shape
from minima.zoo.architecture.models.resnet20 import ResNet20

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class StableResNet20(ResNet20):
    """ResNet-20 whose L = 9 blocks each add L^(-1/2) of their branch, so that what they add up to is bounded in L."""

    name: ClassVar[str] = "stable-resnet20"

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        from minima.zoo.architecture.blocks.residual import ResidualNetwork

        channels, _, _ = image_shape(input_shape, self.name)
        factor = (3 * self.blocks) ** -0.5
        return ResidualNetwork(channels, classes, width=self.width, blocks=self.blocks, factor=factor)
