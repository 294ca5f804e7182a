"""Magnitude pruning early in training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.starts import StartFlag, start_at
from pruning.schedules.any_epoch import AnyEpoch
from pruning.scorers.magnitude import Magnitude
from pruning.triggers.edge import Edge
from pruning.triggers.stability import Stability


@dataclass(frozen=True)
class EarlyMagnitude(Method):
    """Remove the smallest weights all at once in the midst of training, as soon as the network is found ready."""

    name: ClassVar[str] = "early-magnitude"
    phase: ClassVar = "during training"
    summary: ClassVar[str] = (
        "smallest weights at once, when their choice is stable or training is at the edge of stability"
    )
    paper: ClassVar[str] = "Shen et al. 2022; Cohen et al. 2021"
    remedy: ClassVar[str] = "more --epochs, or a smaller --tau or --past (--when stable) or --fraction (--when edge)"

    start: StartFlag = "initialisation"
    when: Literal["stable", "edge"] = "stable"
    """what "ready" means. stable: the number of weights that each layer would keep hardly changes any more from epoch
    to epoch (the early pruning indicator); edge: the largest eigenvalue of the loss's Hessian has reached the largest
    at which the optimiser's next step is stable, 2 / lr without momentum"""
    tau: float = 0.983
    """--when stable: how alike the numbers of weights that layers would keep must be to those of the epochs before,
    from 0 (nothing in common) to 1 (equal)"""
    past: int = 5
    """--when stable: over how many epochs before this likeness is averaged"""
    fraction: float = 1.0
    """--when edge: fraction of the largest stable eigenvalue that is to be reached"""
    samples: int = 1000
    """--when edge: number of training examples, the first of the split, that the eigenvalue is computed from"""

    def composition(self) -> Composition:
        trigger = Edge(self.fraction, self.samples) if self.when == "edge" else Stability(self.tau, self.past)
        return Composition(scorer=Magnitude(), schedule=AnyEpoch(), trigger=trigger, start=start_at(self.start))
