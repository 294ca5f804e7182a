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
    """Weights are kept; momentum and learning-rate rule start anew, over the epochs until the next cut.

    Where the rule `goes_on`, momentum alone starts anew.
    """

    goes_on: bool = False

    def recover(self, trainer: Trainer, cut: Cut) -> None:
        if self.goes_on:
            trainer.restart(cut.recipe, trainer.epochs, after=trainer.steps_done / trainer.steps_per_epoch)
        else:
            trainer.restart(cut.recipe, cut.epochs)
