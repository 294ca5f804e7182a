"""Fashion-MNIST (Xiao et al. 2017) from torchvision's folder layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from minima.zoo.data.datasets.mnist import MNIST


@dataclass(frozen=True)
class FashionMNIST(MNIST):
    """28x28 grey images of ten kinds of clothing, 60,000 train and 10,000 test."""

    name: ClassVar[str] = "fashion-mnist"
    mean: ClassVar[tuple[float, ...]] = (0.2860,)
    std: ClassVar[tuple[float, ...]] = (0.3530,)
    torchvision: ClassVar[str] = "FashionMNIST"
    folder: ClassVar[str] = "FashionMNIST"
