"""The CIFAR ResNet-32 (He et al. 2016, section 4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from minima.zoo.architecture.models.resnet20 import ResNet20


@dataclass(frozen=True)
class ResNet32(ResNet20):
    """The residual network of 32 layers for CIFAR: as ResNet-20, with five blocks in each stage; 464,154 parameters on
    CIFAR-10.
    """

    name: ClassVar[str] = "resnet32"
    blocks: ClassVar[int] = 5
