"""scikit-learn's digits as 32x32 colour images, for networks made for CIFAR: `--data benchmarks/digits32.py:make`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minima.zoo.data.datasets.digits import Digits

ENLARGED = 4
"""32 pixels a side from 8"""


def make() -> dict[str, Any]:
    """The splits of `digits`: each pixel a square of 16, the three channels alike; uint8 (N, 32, 32, 3)."""
    arrays = Digits().read(Path())
    return {name: _enlarge(array) if name.startswith("x") else array for name, array in arrays.items()}


def _enlarge(images: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(N, 1, 8, 8) in [0, 1] -> (N, 32, 32, 3)"""
    bytes_ = np.round(255 * images[:, 0]).astype(np.uint8)
    grey = bytes_.repeat(ENLARGED, axis=1).repeat(ENLARGED, axis=2)
    return np.repeat(grey[..., None], 3, axis=3)
