"""How high a path between two networks rises."""

from __future__ import annotations

import math
from collections.abc import Sequence


def barrier(t: Sequence[float], values: Sequence[float]) -> float:
    """The barrier of a path, max over t of f(t) - [(1 - t) f(0) + t f(1)] (Frankle et al. 2020), in the unit of f.

    It is at least 0, since the ends lie on the chord, and NaN where a value is.

    >>> barrier([0.0, 0.5, 1.0], [1.0, 3.0, 2.0])
    1.5
    """
    if any(map(math.isnan, values)):
        return math.nan
    chord = [(1 - at) * values[0] + at * values[-1] for at in t]
    return max(0.0, *(value - below for value, below in zip(values, chord, strict=True)))


def rise_over_ends(values: Sequence[float]) -> float:
    """How far values rise over the higher of a path's ends, max over t of f(t) - max(f(0), f(1)), in the unit of f.

    >>> rise_over_ends([1.0, 3.0, 2.0])
    1.0
    """
    return max(values) - max(values[0], values[-1])
