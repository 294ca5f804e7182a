"""Taylor pruning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.recoveries.fresh_optimiser import FreshOptimiser
from pruning.recoveries.retrain import Rule, retrained
from pruning.schedules.geometric import Geometric
from pruning.scorers.taylor import Taylor as TaylorScorer


@dataclass(frozen=True)
class Taylor(Method):
    """Remove the weights of the trained network whose removal changes the loss least, to first order; then fine-tune.

    The importance (w g)^2 of the paper's filters, taken of single weights.
    """

    name: ClassVar[str] = "taylor"
    phase: ClassVar = "after training"
    summary: ClassVar[str] = "least (w g)^2 of the trained network at once or in rounds, then fine-tuning"
    paper: ClassVar[str] = "Molchanov et al. 2019"

    rounds: int = 1
    """cuts, each the same fraction of what is left; the epochs are shared out equally over them"""
    batches: int | None = None
    """mini-batches of the training part that the importance is averaged over (default: all)"""
    retrain: Rule | None = None
    """learning-rate rule after each cut, made from the parent's: ft, lrw, slr, clr, llr or allr"""

    def composition(self) -> Composition:
        recovery = retrained(self.retrain) or {"recovery": FreshOptimiser()}
        return Composition(scorer=TaylorScorer(self.batches), schedule=Geometric(self.rounds), **recovery)
