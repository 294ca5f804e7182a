"""Optimal brain damage."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import tyro

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.sample import Sample
from pruning.context.starts import StartFlag, start_at
from pruning.schedules.one_shot import OneShot
from pruning.scorers.hessian_diagonal import Diagonal, HessianDiagonal


@dataclass(frozen=True)
class OptimalBrainDamage(Method):
    """Optimal brain damage: remove the weights with the least w^2 H / 2, then train: to second order, that is what the
    loss gains without the weight, H being its second derivative by this weight alone.

    H is taken from the Gauss-Newton matrix, as in the paper: exactly, and never negative. For networks of convolutions,
    linear layers, ReLU, max pooling and batch normalisation, each applied once, it is the second derivative itself; for
    others the difference at some weights is told.

    Two draws of the 1000 examples rank the weights alike at Spearman 0.998, two of the 64 probes of --diagonal probes
    at 0.005 to 0.03, which is noise and refused (python -m benchmarks.rank_stability: small networks, digits).
    """

    name: ClassVar[str] = "obd"
    phase: ClassVar = "after training"
    summary: ClassVar[str] = "least w^2 H_ii / 2 at once, of the trained network or with --start initialisation"
    paper: ClassVar[str] = "LeCun et al. 1990; probes: Bekas et al. 2007"

    start: StartFlag = "parent"
    sample: Annotated[Sample, tyro.conf.arg(name="")] = field(default_factory=lambda: Sample(examples=1000))
    diagonal: Diagonal = "auto"
    """gauss-newton: exact, at the price of a backward pass for each example and class; probes: estimated from --probes
    Hessian-vector products; auto: exact, or estimated where a network puts out more than 256 numbers for an example"""
    probes: int = 64
    """random vectors of signs that the diagonal is estimated from, where it is estimated"""

    def composition(self) -> Composition:
        scorer = HessianDiagonal(self.sample, self.diagonal, self.probes)
        return Composition(scorer=scorer, schedule=OneShot(), start=start_at(self.start))
