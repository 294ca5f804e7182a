"""The mean rise of the loss under Gaussian noise in proportion to the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from landscape.sharpness.measure import Invariant
from landscape.sharpness.measures.average import Average


@dataclass(frozen=True)
class AdaptiveAverage(Average):
    """E L(w + delta) - L(w), delta ~ N(0, rho^2 D^2), D = diag(|w|)."""

    name: ClassVar[str] = "adaptive_average"
    invariant: ClassVar[Invariant] = "unit"
    meaning: ClassVar[str] = "mean rise of the loss under noise of deviation rho |w| on each weight"
    relative: ClassVar[bool] = True

    rho: tuple[float, ...] = (0.05, 0.1, 0.2)
    """standard deviations of the noise, relative to each weight"""
