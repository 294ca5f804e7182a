"""The CIFAR ResNet-20 (He et al. 2016, section 4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from minima.zoo.architecture.architecture import Architecture
from minima.zoo.architecture.images import image_shape

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class ResNet20(Architecture):
    """Three stages of three basic blocks, batch norm, parameter-free shortcuts; 269,722 parameters on CIFAR-10."""

    name: ClassVar[str] = "resnet20"
    blocks: ClassVar[int] = 3
    """in each stage"""
    width: int = 16
    """channels of the first stage; the next two have twice and four times as many"""

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        from minima.zoo.architecture.blocks.residual import ResidualNetwork

        channels, _, _ = image_shape(input_shape, self.name)
        return ResidualNetwork(channels, classes, width=self.width, blocks=self.blocks)
