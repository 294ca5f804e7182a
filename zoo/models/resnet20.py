"""The CIFAR ResNet-20 (He et al. 2016, section 4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from store.command import BadInput
from zoo.architecture import Architecture

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class ResNet20(Architecture):
    """Three stages of three basic blocks, batch norm, parameter-free shortcuts; 269,722 parameters on CIFAR-10."""

    name: ClassVar[str] = "resnet20"
    width: int = 16
    """channels of the first stage; the next two have twice and four times as many"""

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        from zoo.networks.residual import ResidualNetwork

        if len(input_shape) != 3:
            raise BadInput(f"resnet20 needs images (channels, height, width), not inputs of shape {input_shape}")
        return ResidualNetwork(input_shape[0], classes, width=self.width, blocks=3)
