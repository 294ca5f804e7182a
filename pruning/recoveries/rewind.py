"""Weight rewinding (Frankle & Carbin 2019; late rewinding: Frankle et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruning.starts import weights_at

if TYPE_CHECKING:
    from store.checkpoint import Checkpoint
    from zoo.training import Trainer


@dataclass(frozen=True)
class Rewind:
    """Survivors go back to the parent's weights at the end of an epoch (0: its initialisation), and the
    learning-rate rule is replayed over the epochs until the next cut, with a fresh optimiser."""

    epoch: int

    def check(self, parent: Checkpoint) -> None:
        weights_at(parent, self.epoch, f"--rewind {self.epoch}")

    def recover(self, trainer: Trainer, parent: Checkpoint, epochs: int) -> None:
        masks = trainer.masks
        trainer.model.load_state_dict(weights_at(parent, self.epoch, f"--rewind {self.epoch}"))
        trainer.restart(trainer.recipe, epochs)
        trainer.set_masks(masks)
