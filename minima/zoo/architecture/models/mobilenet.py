"""A small network of inverted residuals, after MobileNetV2 (Sandler et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from minima.store.command import BadInput
from minima.zoo.architecture.architecture import Architecture
from minima.zoo.architecture.images import image_shape

if TYPE_CHECKING:
    from torch import nn

ACTIVATIONS = {"relu6": "ReLU6", "hardswish": "Hardswish"}


@dataclass(frozen=True)
class MobileNet(Architecture):
    """Depthwise convolutions between 1x1 ones, batch norm, ReLU6 or Hardswish; 89,946 parameters on CIFAR-10."""

    name: ClassVar[str] = "mobilenet"
    width: int = 16
    """channels of the first stage; the next two have twice and four times as many, the last convolution 16 times"""
    blocks: int = 2
    """inverted residuals in each stage"""
    expansion: int = 4
    """how many times wider a block is within"""
    activation: str = "relu6"
    """relu6 (MobileNetV2) or hardswish (V3)"""

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        from torch import nn

        from minima.zoo.architecture.blocks.inverted_residual import MobileNetwork

        channels, _, _ = image_shape(input_shape, self.name)
        if self.activation not in ACTIVATIONS:
            offered = " or ".join(f"activation={name}" for name in ACTIVATIONS)
            raise BadInput(f"mobilenet: there is no activation {self.activation!r}. Type {offered}")
        return MobileNetwork(
            channels,
            classes,
            width=self.width,
            blocks=self.blocks,
            expansion=self.expansion,
            activation=getattr(nn, ACTIVATIONS[self.activation]),
        )
