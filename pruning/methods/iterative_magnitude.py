"""Iterative magnitude pruning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition import Composition
from pruning.method import Method
from pruning.recoveries.fresh_optimiser import FreshOptimiser
from pruning.recoveries.rewind import Rewind
from pruning.schedules.geometric import Geometric
from pruning.scorers.magnitude import Magnitude
from pruning.starts import TrainedAgain


@dataclass(frozen=True)
class IterativeMagnitude(Method):
    """Remove the smallest weights in rounds, each the same fraction of what is left, with training after each round."""

    name: ClassVar[str] = "iterative-magnitude"
    phase: ClassVar = "after training"
    summary: ClassVar[str] = "smallest weights in geometric rounds, fine-tuned or rewound after each"
    paper: ClassVar[str] = "Han et al. 2015; rewound: Frankle & Carbin 2019"

    rounds: int = 10
    """cuts; the epochs are shared out equally over them"""
    rewind: int | None = None
    """after each cut, survivors go back to the parent's weights at the end of this epoch (0: initialisation) and the
    parent's learning-rate rule is replayed (default: fine-tune)"""

    def composition(self) -> Composition:
        schedule = Geometric(self.rounds)
        if self.rewind is None:
            return Composition(scorer=Magnitude(), schedule=schedule, recovery=FreshOptimiser())
        recovery = Rewind(self.rewind)
        return Composition(scorer=Magnitude(), schedule=schedule, recovery=recovery, start=TrainedAgain())
