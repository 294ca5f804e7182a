"""MNIST from torchvision's folder layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from minima.zoo.data.dataset import Source


@dataclass(frozen=True)
class MNIST(Source):
    """28x28 grey images, 60,000 train and 10,000 test; `folder`/raw/*-ubyte under --data-root, plain or gzipped."""

    name: ClassVar[str] = "mnist"
    bounds: ClassVar[tuple[float, float] | None] = (0.0, 1.0)
    mean: ClassVar[tuple[float, ...]] = (0.1307,)
    std: ClassVar[tuple[float, ...]] = (0.3081,)
    needs_root: ClassVar[bool] = True
    torchvision: ClassVar[str] = "MNIST"
    folder: ClassVar[str] = "MNIST"
    files: ClassVar[Mapping[str, str]] = {
        "x_train": "train-images-idx3-ubyte",
        "y_train": "train-labels-idx1-ubyte",
        "x_test": "t10k-images-idx3-ubyte",
        "y_test": "t10k-labels-idx1-ubyte",
    }

    def complete(self, root: Path) -> bool:
        raw = root / self.folder / "raw"
        return all((raw / name).exists() or (raw / f"{name}.gz").exists() for name in self.files.values())

    def read(self, root: Path) -> Mapping[str, Any]:
        from minima.zoo.data.idx import read_idx

        raw = root / self.folder / "raw"
        advice = (
            f"{self.name} is read from --data-root (now {root}) in torchvision's layout: put\n"
            f"{{train,t10k}}-{{images-idx3,labels-idx1}}-ubyte, plain or .gz, into {raw},\n"
            "or point --data-root (or $DATA_ROOT) to the folder that has them; minima.train --download fetches them."
        )
        return {array: read_idx(raw, name, advice=advice) for array, name in self.files.items()}
