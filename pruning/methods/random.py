"""Random pruning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.schedules.one_shot import OneShot
from pruning.scorers.chance import Chance


@dataclass(frozen=True)
class Random(Method):
    """Remove weights of the trained network at random, all at once, then fine-tune it: the control for every method
    that chooses."""

    name: ClassVar[str] = "random"
    phase: ClassVar = "after training"
    summary: ClassVar[str] = "random weights at once, then fine-tuning: the control"
    paper: ClassVar[str] = "-"

    def composition(self) -> Composition:
        return Composition(scorer=Chance(), schedule=OneShot())
