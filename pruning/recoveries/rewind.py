"""Weight rewinding (Frankle & Carbin 2019; late rewinding: Frankle et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruning.context.starts import trained_epochs, weights_at
from pruning.recoveries.recovery import Recovery

if TYPE_CHECKING:
    from minima.store.checkpoints.checkpoint import Checkpoint
    from minima.zoo.training.loop import Trainer
    from pruning.recoveries.cut import Cut


@dataclass(frozen=True)
class Rewind(Recovery):
    """Survivors go back to the parent's weights at the end of an epoch (0: its initialisation), and the learning-rate
    rule is replayed from that epoch on, over the epochs until the next cut, with a fresh optimiser.

    A rule laid out over another number of epochs than the parent had left then is stretched to them. The losers become
    zero, or with `holds` stay frozen at the weights of that epoch as well (RISE: Tartaglione 2022).
    """

    epoch: int
    holds: bool = False

    def check(self, parent: Checkpoint) -> None:
        weights_at(parent, self.epoch, f"--rewind {self.epoch}")

    def recover(self, trainer: Trainer, cut: Cut) -> None:
        weights = weights_at(cut.parent, self.epoch, f"--rewind {self.epoch}")
        masks = trainer.masks
        trainer.model.load_state_dict(weights)
        behind = self.epoch / max(1, trained_epochs(cut.parent, cut.epochs))
        horizon = cut.epochs / (1 - behind) if 0 < behind < 1 else cut.epochs
        trainer.restart(cut.recipe, horizon, after=horizon - cut.epochs)
        trainer.set_masks(masks, {name: weights[name] for name in masks} if self.holds else None)
