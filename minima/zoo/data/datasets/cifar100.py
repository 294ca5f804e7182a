"""CIFAR-100 (Krizhevsky 2009) from torchvision's folder layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from minima.zoo.data.datasets.cifar10 import CIFAR10


@dataclass(frozen=True)
class CIFAR100(CIFAR10):
    """32x32 colour images of a hundred classes (the fine labels), 50,000 train and 10,000 test."""

    name: ClassVar[str] = "cifar100"
    mean: ClassVar[tuple[float, ...]] = (0.5071, 0.4865, 0.4409)
    std: ClassVar[tuple[float, ...]] = (0.2673, 0.2564, 0.2762)
    torchvision: ClassVar[str] = "CIFAR100"
    folder: ClassVar[str] = "cifar-100-python"
    archive: ClassVar[str] = "cifar-100-python.tar.gz"
    files: ClassVar[Mapping[str, tuple[str, ...]]] = {"train": ("train",), "test": ("test",)}
    labels: ClassVar[str] = "fine_labels"
