"""Largest eigenvalue of D H D, D = diag(|w|)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from landscape.sharpness.measure import Invariant
from landscape.sharpness.measures.lambda_max import LambdaMax


@dataclass(frozen=True)
class AdaptiveLambdaMax(LambdaMax):
    """lambda_max(D H D): the largest curvature with respect to relative changes of the weights."""

    name: ClassVar[str] = "adaptive_lambda_max"
    invariant: ClassVar[Invariant] = "unit"
    meaning: ClassVar[str] = "the same with respect to relative changes of the weights (of |w| H |w|)"
    relative: ClassVar[bool] = True
