"""Trace of D H D, D = diag(|w|)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from landscape.sharpness.measure import Invariant
from landscape.sharpness.measures.trace import Trace


@dataclass(frozen=True)
class AdaptiveTrace(Trace):
    """The trace of the Hessian with respect to relative changes of the weights, sum_i w_i^2 H_ii."""

    name: ClassVar[str] = "adaptive_trace"
    invariant: ClassVar[Invariant] = "unit"
    meaning: ClassVar[str] = "the same with respect to relative changes of the weights (sum of w² H_ii)"
    relative: ClassVar[bool] = True
