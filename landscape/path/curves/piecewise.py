"""Two straight pieces with one bend (the polygonal chain of Garipov et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from landscape.path.curve import Curve, Shares


@dataclass(frozen=True)
class Piecewise(Curve):
    """From A straight to C, which it passes at t = 1/2, and straight on to B.

    >>> Piecewise().shares(0.25), Piecewise().shares(0.5)
    ((0.5, 0.5, 0.0), (0.0, 1.0, 0.0))
    """

    name: ClassVar[str] = "piecewise"
    formula: ClassVar[str] = "(1 - 2t) A + 2t C up to t = 1/2, then (2 - 2t) C + (2t - 1) B"

    def shares(self, t: float) -> Shares:
        return max(0.0, 1 - 2 * t), 1 - abs(1 - 2 * t), max(0.0, 2 * t - 1)
