"""What a curve between two networks is: how much of each end, and of a bend between them, a point on it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from minima.store.registry import members

Shares = tuple[float, float, float]
"""of the first end A, of the bend C, and of the last end B: they add up to 1"""


@dataclass(frozen=True)
class Curve:
    """Base of the members of landscape/path/curves: phi(t) = a(t) A + c(t) C + b(t) B for t in [0, 1]."""

    name: ClassVar[str]
    formula: ClassVar[str]
    """phi(t) in words"""
    bent: ClassVar[bool] = True
    """whether there is a C, which is to be found"""

    def shares(self, t: float) -> Shares:
        """The shares a(t), c(t) and b(t) that the first end, the bend and the second end have of the point at t."""
        raise NotImplementedError


def curves() -> dict[str, type[Curve]]:
    """Every kind of curve between two networks by the name that --kind knows it by."""
    return members("landscape.path.curves", Curve)
