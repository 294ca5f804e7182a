"""The straight line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from landscape.path.curve import Curve, Shares


@dataclass(frozen=True)
class Line(Curve):
    """From A to B without a bend.

    >>> Line().shares(0.25)
    (0.75, 0.0, 0.25)
    """

    name: ClassVar[str] = "line"
    formula: ClassVar[str] = "(1 - t) A + t B"
    bent: ClassVar[bool] = False

    def shares(self, t: float) -> Shares:
        return 1 - t, 0.0, t
