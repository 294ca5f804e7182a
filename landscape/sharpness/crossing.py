"""Where a function that grows about like a power first reaches a level."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

START, LOWEST, HIGHEST = 0.1, 1e-4, 1e3
STEEPEST = 1e3
"""times the level: what lies above counts as this, an overflow too"""
SPREAD = 0.02
"""of x, to both sides: what the slope is measured over"""


@dataclass(frozen=True)
class Crossing:
    """The x with f(x) = level, and f'(x) there."""

    x: float
    slope: float


def crossing(function: Callable[[float], float], level: float, *, tolerance: float) -> Crossing | None:
    """x > 0 with f(x) = level to the relative `tolerance` in x; None where there is none from 1e-4 to 1e3.

    Bracketed by doubling or halving from 0.1; then secants in the logarithms, in which a power is a straight line, and
    halvings where a secant leaves the bracket or does little to narrow it.

    >>> found = crossing(lambda x: 2 * x**2, 0.5, tolerance=1e-6)
    >>> round(found.x, 6), round(found.slope, 4)
    (0.5, 2.0)
    """

    def height(x: float) -> float:
        """log(f / level), kept within bounds; f may be 0, negative, infinite."""
        return math.log(min(max(function(x) / level, 1 / STEEPEST), STEEPEST))

    low = high = START
    at_low = at_high = height(START)
    while at_low > 0 and low > LOWEST:
        high, at_high, low = low, at_low, low / 2
        at_low = height(low)
    while at_high <= 0 and high < HIGHEST:
        low, at_low, high = high, at_high, high * 2
        at_high = height(high)
    if at_low > 0 or at_high <= 0:
        return None
    low, high = _narrowed(height, (low, at_low), (high, at_high), tolerance)
    x = math.sqrt(low * high)
    ends = [x * (1 + side * SPREAD) for side in (-1, 1)]
    return Crossing(x, (function(ends[1]) - function(ends[0])) / (ends[1] - ends[0]))


def _narrowed(
    height: Callable[[float], float], low: tuple[float, float], high: tuple[float, float], tolerance: float
) -> tuple[float, float]:
    """The ends of the bracket, no further apart than 2 x tolerance x their size."""
    (a, at_a), (b, at_b) = ((math.log(x), value) for x, value in (low, high))
    while b - a > 2 * tolerance:
        secant = a - at_a * (b - a) / (at_b - at_a)
        # a little beyond the guess, so that the bracket closes from both sides
        middle = secant + math.copysign(tolerance / 2, (a + b) / 2 - secant)
        at = height(math.exp(middle))
        width = b - a
        a, at_a, b, at_b = (middle, at, b, at_b) if at <= 0 else (a, at_a, middle, at)
        if b - a > width / 2:
            middle = (a + b) / 2
            at = height(math.exp(middle))
            a, at_a, b, at_b = (middle, at, b, at_b) if at <= 0 else (a, at_a, middle, at)
    return math.exp(a), math.exp(b)
