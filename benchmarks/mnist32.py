"""MNIST's first images on 32x32 with three channels, for networks made for CIFAR: `--data benchmarks/mnist32.py:make`.

The folder with MNIST/raw/ is $DATA_ROOT.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from minima.zoo.data.datasets.mnist import MNIST

FIRST = {"train": 4096, "test": 1000}


def make() -> dict[str, Any]:
    """The first images of each split, with a margin of 2 pixels, the three channels alike; uint8 (N, 32, 32, 3)."""
    arrays = MNIST().read(Path(os.environ.get("DATA_ROOT", "data")))
    images = {name: arrays[f"x_{name}"][:count].squeeze() for name, count in FIRST.items()}
    margin = [(0, 0), (2, 2), (2, 2)]
    x = {f"x_{name}": np.repeat(np.pad(each, margin)[..., None], 3, axis=3) for name, each in images.items()}
    return x | {f"y_{name}": arrays[f"y_{name}"][:count] for name, count in FIRST.items()}
