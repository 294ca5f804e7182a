"""Magnitude pruning early in training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.starts import StartName, start_at
from pruning.schedules.any_epoch import AnyEpoch
from pruning.scorers.magnitude import Magnitude
from pruning.triggers.edge import Edge
from pruning.triggers.stability import Stability


@dataclass(frozen=True)
class EarlyMagnitude(Method):
    """Remove the smallest weights at once in the midst of training, as soon as a trigger finds the network ready."""

    name: ClassVar[str] = "early-magnitude"
    phase: ClassVar = "during training"
    summary: ClassVar[str] = (
        "smallest weights at once, when their choice is stable or training is at the edge of stability"
    )
    paper: ClassVar[str] = "Shen et al. 2022; Cohen et al. 2021"
    remedy: ClassVar[str] = "more --epochs, or a smaller --tau or --past (--when stable) or --fraction (--when edge)"

    start: StartName = "initialisation"
    """initialisation: the parent's weights of epoch 0, by its recipe; parent: its trained weights, at the final rate"""
    when: Literal["stable", "edge"] = "stable"
    """stable: the numbers of weights that layers would keep change no more (EPI); edge: the largest curvature has
    reached what the next step bears, 2 / lr without momentum"""
    tau: float = 0.983
    """stable: least similarity to the epochs before"""
    past: int = 5
    """stable: how many of them"""
    fraction: float = 1.0
    """edge: of the largest stable curvature"""
    samples: int = 1000
    """edge: training examples that the curvature is measured on"""

    def composition(self) -> Composition:
        trigger = Edge(self.fraction, self.samples) if self.when == "edge" else Stability(self.tau, self.past)
        return Composition(scorer=Magnitude(), schedule=AnyEpoch(), trigger=trigger, start=start_at(self.start))
