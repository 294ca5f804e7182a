"""LeNet-5 in its common form with 20 and 50 filters (LeCun et al. 1998; the Caffe variant)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from minima.zoo.architecture.architecture import Architecture
from minima.zoo.architecture.images import image_shape

if TYPE_CHECKING:
    from torch import nn

FULL_SIZE, KERNEL = 28, 5


@dataclass(frozen=True)
class LeNet5(Architecture):
    """Two 5x5 convolutions, each with ReLU and 2x2 max pooling, then 500 units; 431,080 parameters on MNIST.

    Images smaller than 28 pixels are padded by 2 in both convolutions, so that 8x8 digits leave 2x2 positions.
    """

    name: ClassVar[str] = "lenet5"
    filters: tuple[int, ...] = (20, 50)
    """of the two convolutions"""
    units: int = 500
    """of the hidden fully connected layer"""

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        from torch import nn

        channels, height, width = image_shape(input_shape, self.name, smallest=4)
        padding = 2 if min(height, width) < FULL_SIZE else 0
        first, second = self.filters
        positions = _pooled(height, padding) * _pooled(width, padding)
        return nn.Sequential(
            OrderedDict(
                conv1=nn.Conv2d(channels, first, KERNEL, padding=padding),
                relu1=nn.ReLU(),
                pool1=nn.MaxPool2d(2),
                conv2=nn.Conv2d(first, second, KERNEL, padding=padding),
                relu2=nn.ReLU(),
                pool2=nn.MaxPool2d(2),
                flatten=nn.Flatten(),
                fc1=nn.Linear(second * positions, self.units),
                relu3=nn.ReLU(),
                fc2=nn.Linear(self.units, classes),
            )
        )


def _pooled(size: int, padding: int) -> int:
    """Side length after the two convolutions and poolings."""
    for _ in range(2):
        size = (size + 2 * padding - KERNEL + 1) // 2
    return size
