"""A scale on which errors count in nats where the loss is small, and relative to the loss where it is large."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST = float(np.finfo(np.float32).max)
"""nat: what is more counts as infinite"""


def compress(loss: NDArray[np.float64]) -> NDArray[np.float64]:
    """asinh L: about L well below 1 nat, ln 2L well above; smooth, and finite also where the loss is not.

    >>> compress(np.array([0.1, 100.0, np.inf])).round(2).tolist()
    [0.1, 5.3, 89.42]
    """
    return np.arcsinh(np.minimum(loss, LARGEST))


def expand(compressed: NDArray[np.float64]) -> NDArray[np.float64]:
    """The loss in nats again; at the scale's upper end, to one part in a hundred, inf.

    >>> expand(np.array([0.1, 5.3, 89.415])).round(2).tolist()
    [0.1, 100.17, inf]
    """
    end = np.arcsinh(LARGEST)
    return np.where(compressed >= end - 0.01, np.inf, np.sinh(np.minimum(compressed, end)))


def nats(compressed: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many nats a unit of the scale is: dL / d asinh L = sqrt(1 + L^2).

    >>> nats(compress(np.array([0.0, 3.0]))).round(4).tolist()
    [1.0, 3.1623]
    """
    return np.cosh(compressed)


def allowed(error: float, compressed: NDArray[np.float64]) -> NDArray[np.float64]:
    """error x max(L, 1 nat), on the scale: from 0.7 error, where the loss is 1 nat, to the error itself.

    >>> allowed(0.02, compress(np.array([0.0, 1.0, 1e3]))).round(4).tolist()
    [0.02, 0.0141, 0.02]
    """
    return error * np.maximum(np.sinh(compressed), 1) / np.cosh(compressed)
