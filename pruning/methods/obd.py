"""Optimal brain damage."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import tyro

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.sample import Sample
from pruning.context.starts import StartName, start_at
from pruning.schedules.one_shot import OneShot
from pruning.scorers.hessian_diagonal import HessianDiagonal


@dataclass(frozen=True)
class OptimalBrainDamage(Method):
    """Remove the weights with the least w^2 H_ii / 2, the diagonal of the Hessian being estimated, then train."""

    name: ClassVar[str] = "obd"
    phase: ClassVar = "after training"
    summary: ClassVar[str] = "least w^2 H_ii / 2 at once, of the trained network or with --start initialisation"
    paper: ClassVar[str] = "LeCun et al. 1990; H_ii: Bekas et al. 2007"

    start: StartName = "parent"
    """parent: its trained weights, at the final rate; initialisation: its weights of epoch 0, by its recipe"""
    sample: Annotated[Sample, tyro.conf.arg(name="")] = field(default_factory=lambda: Sample(examples=1000))
    probes: int = 64
    """random vectors for the diagonal, each with one Hessian-vector product"""

    def composition(self) -> Composition:
        scorer = HessianDiagonal(self.sample, self.probes)
        return Composition(scorer=scorer, schedule=OneShot(), start=start_at(self.start))
