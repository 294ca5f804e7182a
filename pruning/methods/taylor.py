"""Taylor pruning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.recoveries.fresh_optimiser import FreshOptimiser
from pruning.recoveries.retrain import OptionalRuleFlag, retrained
from pruning.schedules.geometric import Geometric
from pruning.scorers.taylor import Taylor as TaylorScorer


@dataclass(frozen=True)
class Taylor(Method):
    """Remove the weights of the trained network whose removal changes the loss least to first order, then fine-tune it:
    those with the least (w g)^2, g being the gradient of the loss of a mini-batch, averaged over the mini-batches. The
    paper takes this importance of whole filters.

    With all mini-batches nothing is drawn; two halves of the training part rank the weights alike at Spearman 0.93 to
    0.97, and of the weights kept at a sparsity of 90 % they share 69 to 79 % (python -m benchmarks.rank_stability:
    small networks, digits).
    """

    name: ClassVar[str] = "taylor"
    phase: ClassVar = "after training"
    summary: ClassVar[str] = "least (w g)^2 of the trained network at once or in rounds, then fine-tuning"
    paper: ClassVar[str] = "Molchanov et al. 2019"

    rounds: int = 1
    """number of cuts, each of the same fraction of what is left; the epochs are shared out equally over them"""
    batches: int | None = None
    """number of mini-batches, the first of the training part, that the importance is averaged over (default: all)"""
    retrain: OptionalRuleFlag = None

    def composition(self) -> Composition:
        recovery = retrained(self.retrain) or {"recovery": FreshOptimiser()}
        return Composition(scorer=TaylorScorer(self.batches), schedule=Geometric(self.rounds), **recovery)
