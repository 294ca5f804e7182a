"""The worst loss at a given relative distance from the weights (Kwon et al. 2021, ASAM)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from landscape.sharpness.measure import Invariant
from landscape.sharpness.measures.sam import Sam


@dataclass(frozen=True)
class AdaptiveSam(Sam):
    """max over ||delta / |w| ||_p <= rho of L(w + delta) - L(w), climbed in u with delta = |w| u."""

    name: ClassVar[str] = "adaptive_sam"
    invariant: ClassVar[Invariant] = "unit"
    meaning: ClassVar[str] = "worst rise of the loss within a relative distance rho of the weights"
    relative: ClassVar[bool] = True

    rho: tuple[float, ...] = (0.1, 0.5, 1.0)
    """radii for p = 2, ascending"""
    rho_infinity: tuple[float, ...] = (5e-3, 1e-2, 2e-2)
    """radii for p = infinity"""
