"""A classification dataset in memory, and the base of the registry of datasets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
    from torch import Tensor

ARRAYS = ("x_train", "y_train", "x_test", "y_test")


@dataclass(frozen=True)
class Dataset:
    """Two splits as tensors in file order: inputs (N, ...) float32, normalised; labels (N,) int64 in 0..classes-1."""

    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor
    classes: int

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return tuple(self.x_train.shape[1:])

    def split(self, name: str) -> tuple[Tensor, Tensor]:
        """Inputs and labels of `train` or `test`."""
        return (self.x_train, self.y_train) if name == "train" else (self.x_test, self.y_test)


@dataclass(frozen=True)
class Source:
    """Base of the members of minima/zoo/data/datasets: where arrays come from, and how they are normalised by default."""

    name: ClassVar[str]
    mean: ClassVar[tuple[float, ...]] = (0.0,)
    std: ClassVar[tuple[float, ...]] = (1.0,)
    needs_root: ClassVar[bool] = False
    """whether the arrays lie under --data-root"""
    torchvision: ClassVar[str | None] = None
    """the class in torchvision.datasets that downloads them"""

    def read(self, root: Path) -> Mapping[str, ArrayLike | Any]:
        """The arrays x_train, y_train, x_test, y_test, as they are on disk."""
        raise NotImplementedError

    def complete(self, root: Path) -> bool:  # noqa: ARG002 (nothing on disk is needed)
        """Whether all files that are read lie under `root`."""
        return True
