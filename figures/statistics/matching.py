"""Curvature of two networks at the same training loss, interpolated along their training after the last cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Matched:
    """The common training loss and both values there; NaN where the losses do not overlap."""

    loss: float
    first: float
    second: float

    @property
    def log_ratio(self) -> float:
        """The natural logarithm of second / first."""
        return float(np.log(self.second / self.first))


def match(first_loss: ArrayLike, first_value: ArrayLike, second_loss: ArrayLike, second_value: ArrayLike) -> Matched:
    """Both values at the middle (in log loss) of the range of losses that both trajectories cross.

    log value is interpolated linearly in log loss, so a power law between two points is met exactly.

    >>> m = match([4.0, 1.0], [16.0, 1.0], [2.0, 0.5], [8.0, 2.0])
    >>> round(m.loss, 4), round(m.first, 4), round(m.second, 4), round(m.log_ratio, 4)
    (1.4142, 2.0, 5.6569, 1.0397)
    """
    first, second = _curve(first_loss, first_value), _curve(second_loss, second_value)
    if first.shape[1] == 0 or second.shape[1] == 0:
        return Matched(np.nan, np.nan, np.nan)
    low, high = max(first[0, 0], second[0, 0]), min(first[0, -1], second[0, -1])
    if low > high:
        return Matched(np.nan, np.nan, np.nan)
    middle = (low + high) / 2
    values = [np.exp(np.interp(middle, curve[0], curve[1])) for curve in (first, second)]
    return Matched(float(np.exp(middle)), float(values[0]), float(values[1]))


def _curve(loss: ArrayLike, value: ArrayLike) -> NDArray[np.float64]:
    """(2, n): log loss ascending, log value; points that have no logarithm are left out."""
    loss, value = np.asarray(loss, dtype=float), np.asarray(value, dtype=float)
    kept = (loss > 0) & (value > 0)
    order = np.argsort(loss[kept], kind="stable")
    return np.log(np.stack([loss[kept][order], value[kept][order]]))
