"""Means of random draws, held against what is known of each draw."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from landscape.spectrum.trace import Estimate, estimate

FIRST = 12
"""draws that tell how many are needed"""


def controlled(draw: Callable[[int], tuple[Sequence[float], Sequence[float]]], known: float, worth: int) -> Estimate:
    """The mean of draws x from draws of x - c + E c, as precise as the mean of `worth` draws of x (control variates).

    The first 12 tell by how much the variance of x - c is smaller than that of x, and so how many there are in all:
    at most `worth`, 12 at least. Since the number rests on the spread of the first only, the mean is unbiased where
    x - c is symmetric about its mean, and else to the order of its skewness over that number.

    Args:
        draw: so many further draws of x, and the c of each.
        known: E c.

    >>> values = iter([(1.0, 1.0), (5.0, 5.0)] * 32)
    >>> found = controlled(lambda count: tuple(zip(*(next(values) for _ in range(count)))), 3.0, 64)
    >>> found.value, found.stderr, len(found.samples)
    (3.0, 0.0, 12)
    """
    values, controls = (list(part) for part in draw(min(FIRST, worth)))
    if worth > FIRST:
        spread, left = float(np.var(values)), float(np.var(np.subtract(values, controls)))
        needed = FIRST if left == 0 else math.ceil(worth * min(1.0, left / max(spread, left * 1e-9)))
        needed = min(worth, max(needed, FIRST))
        if needed > FIRST:
            more = draw(needed - FIRST)
            values, controls = values + list(more[0]), controls + list(more[1])
    found = estimate([value - control + known for value, control in zip(values, controls, strict=True)])
    return replace(found, stderr=widened(found.stderr, len(values)))


def widened(error: float | None, count: int) -> float | None:
    """A standard error known from few draws, widened so that deviations have its size on average.

    Their quotient is one of Student's, whose variance is (count - 1) / (count - 3).

    >>> round(widened(1.0, 12), 6), widened(1.0, 3)
    (1.105542, 1.0)
    """
    return error if error is None or count < 4 else error * math.sqrt((count - 1) / (count - 3))
