"""The quadratic Bezier curve (Garipov et al. 2018, "Loss Surfaces, Mode Connectivity, and Fast Ensembling of DNNs")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from landscape.path.curve import Curve, Shares


@dataclass(frozen=True)
class Bezier(Curve):
    """Leaves A towards C and reaches B from C, without passing through it.

    >>> Bezier().shares(0.5)
    (0.25, 0.5, 0.25)
    """

    name: ClassVar[str] = "bezier"
    formula: ClassVar[str] = "(1 - t)^2 A + 2 t (1 - t) C + t^2 B"

    def shares(self, t: float) -> Shares:
        return (1 - t) ** 2, 2 * t * (1 - t), t**2
