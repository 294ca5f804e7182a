"""Fine-tuning with a fresh optimiser after each cut (Janusz et al. 2025)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from pruning.recoveries.cut import Cut
    from store.checkpoint import Checkpoint
    from zoo.training import Trainer


@dataclass(frozen=True)
class FreshOptimiser:
    """Weights are kept; momentum and learning-rate rule start anew, over the epochs until the next cut."""

    sets_rate: ClassVar[bool] = False

    def check(self, parent: Checkpoint) -> None:
        pass

    def recover(self, trainer: Trainer, cut: Cut) -> None:
        trainer.restart(cut.recipe, cut.epochs)
