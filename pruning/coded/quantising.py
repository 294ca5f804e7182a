"""Uniform quantisation of a layer's weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from minima.store.command import BadInput

MOST = 127
"""the largest symbol: with both signs and 0 they fit in a byte"""


@dataclass(frozen=True, eq=False)
class Quantised:
    """A layer's weights as whole multiples of a step. Weights that a mask removes are 0, and stay so."""

    symbols: NDArray[np.int8]
    """of the weight's shape; the weight is symbol x step"""
    step: np.float32

    def weights(self) -> NDArray[np.float64]:
        """The weights that the symbols stand for, symbol x step, in float64 and the weight's own shape."""
        return self.symbols * np.float64(self.step)


def quantise(weights: NDArray[np.float64], bits: int) -> Quantised:
    """The nearest multiples of max |w| / (2^(bits - 1) - 1), which is one of them, as are 0 and -max |w|.

    >>> found = quantise(np.array([[-1.0, 0.2, 0.0, 0.7]]), bits=3)
    >>> found.symbols.tolist(), round(float(found.step), 4)
    ([[-3, 1, 0, 2]], 0.3333)
    """
    levels = 2 ** (bits - 1) - 1
    largest = np.abs(weights).max(initial=0.0)
    step = np.float32(largest / levels)
    if not step:  # all are 0, or too small for a step in single precision
        return Quantised(np.zeros(weights.shape, dtype=np.int8), np.float32(0))
    return Quantised(np.clip(np.rint(weights / np.float64(step)), -levels, levels).astype(np.int8), step)


def quantise_by(weights: NDArray[np.float64], step: float, name: str) -> Quantised:
    """The nearest multiples of a step.

    Raises:
        BadInput: a weight is more than 127 steps away from 0.
    """
    exact = np.float32(step)
    symbols = np.rint(weights / np.float64(exact))
    if (largest := np.abs(symbols).max(initial=0.0)) > MOST:
        least = float(np.abs(weights).max()) / MOST
        raise BadInput(
            f"--step {step:g}: {name} would need {largest:,.0f} steps on a side, and a symbol has {MOST}.\n"
            f"Type --step {least * 1.001:.4g} or more, or --bits 8, where each layer has a step of its own"
        )
    return Quantised(symbols.astype(np.int8), exact)
