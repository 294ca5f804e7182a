"""The CIFAR ResNet-56 (He et al. 2016, section 4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from minima.zoo.architecture.models.resnet20 import ResNet20


@dataclass(frozen=True)
class ResNet56(ResNet20):
    """The residual network of 56 layers for CIFAR: as ResNet-20, with nine blocks in each stage; 853,018 parameters on
    CIFAR-10.
    """

    name: ClassVar[str] = "resnet56"
    blocks: ClassVar[int] = 9
