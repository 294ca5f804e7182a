"""Fine-tuning with a fresh optimiser after each cut (Janusz et al. 2025)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruning.recoveries.recovery import Recovery

if TYPE_CHECKING:
    from minima.zoo.training.loop import Trainer
    from pruning.recoveries.cut import Cut


@dataclass(frozen=True)
class FreshOptimiser(Recovery):
    """Weights are kept; momentum and learning-rate rule start anew, over the epochs until the next cut."""

    def recover(self, trainer: Trainer, cut: Cut) -> None:
        trainer.restart(cut.recipe, cut.epochs)
