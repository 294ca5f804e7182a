"""Arrays in as few bytes as the eye allows: levels between the smallest and the largest value, as base64."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

SPECIAL = {"nan": 1, "inf": 2, "-inf": 3}
"""codes from the top of the range: the last is NaN, the one before it infinity"""


def quantised(values: NDArray[Any], bits: int = 16, logarithmic: bool = False) -> dict[str, Any]:
    """An array as what the page's script decodes; what is not finite stays what it is.

    Args:
        bits: 8 or 16; the largest error is half of 1 / (2^bits - 4) of the range.
        logarithmic: even steps of the logarithm, where all finite values are positive; then the largest relative error
            is about half of ln(largest / smallest) / (2^bits - 4).

    >>> quantised(np.array([0.0, 1.0, np.nan]), bits=8)
    {'shape': [3], 'bits': 8, 'low': 0.0, 'high': 1.0, 'log': False, 'data': 'APz/'}
    """
    array = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(array)
    log = bool(logarithmic and finite.any() and array[finite].min() > 0)
    scaled = np.log(np.where(finite, array, 1.0)) if log else np.where(finite, array, 0.0)
    low, high = (float(scaled[finite].min()), float(scaled[finite].max())) if finite.any() else (0.0, 0.0)
    levels = 2**bits - len(SPECIAL) - 1
    steps = np.rint((scaled - low) / ((high - low) or 1.0) * levels)
    codes = np.where(finite, np.clip(steps, 0, levels), 0)
    for value, code in zip((np.isnan(array), array == np.inf, array == -np.inf), SPECIAL.values(), strict=True):
        codes = np.where(value, 2**bits - code, codes)
    data = codes.astype("<u2" if bits == 16 else "u1").tobytes()
    shape = [int(length) for length in array.shape]
    encoded = base64.b64encode(data).decode()
    return {"shape": shape, "bits": bits, "low": low, "high": high, "log": log, "data": encoded}
