"""VGG-16 with batch norm (Simonyan & Zisserman 2015, column D), in its form for small images."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from minima.zoo.architecture.architecture import Architecture
from minima.zoo.architecture.images import image_shape

if TYPE_CHECKING:
    from torch import nn

STAGES = ((1, 2), (2, 2), (4, 3), (8, 3), (8, 3))
"""of each stage: channels in widths, convolutions"""


@dataclass(frozen=True)
class VGG16(Architecture):
    """Thirteen 3x3 convolutions with batch norm (and so without biases) and ReLU, one linear layer.

    14,724,042 parameters on CIFAR-10. Each of the five stages ends in 2x2 max pooling while the image has two pixels a
    side: CIFAR's 32 pixels are halved five times, MNIST's 28 four times, the digits' 8 three times (their last two
    stages see one position). What is left of a larger image is averaged.
    """

    name: ClassVar[str] = "vgg16"
    width: int = 64
    """channels of the first stage; the next ones have 2, 4, 8 and 8 times as many"""

    def build(self, input_shape: tuple[int, ...], classes: int) -> nn.Module:
        from torch import nn

        channels, height, width = image_shape(input_shape, self.name)
        side = min(height, width)
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for stage, (widths, convolutions) in enumerate(STAGES, start=1):
            for index in range(1, convolutions + 1):
                place, grown = f"{stage}_{index}", widths * self.width
                layers[f"conv{place}"] = nn.Conv2d(channels, grown, 3, padding=1, bias=False)
                layers[f"bn{place}"] = nn.BatchNorm2d(grown)
                layers[f"relu{place}"] = nn.ReLU()
                channels = grown
            if side >= 2:
                layers[f"pool{stage}"] = nn.MaxPool2d(2)
                side //= 2
        layers |= {"average": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "fc": nn.Linear(channels, classes)}
        return nn.Sequential(layers)
