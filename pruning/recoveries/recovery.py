"""What a recovery is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from minima.store.checkpoints.checkpoint import Checkpoint
    from minima.zoo.training.loop import Trainer
    from pruning.recoveries.cut import Cut


class Recovery(Protocol):
    """What happens to weights, optimiser and rate right after a cut; training then goes on until the next event."""

    sets_rate: ClassVar[bool] = False
    """whether the rate follows another rule than the recipe's"""

    def check(self, parent: Checkpoint) -> None:  # noqa: ARG002
        """BadInput where the parent lacks what recovery needs; called before any work."""
        return

    def finish(self, trainer: Trainer, cut: Cut) -> int:  # noqa: ARG002
        """Called in a run that ends by itself, after the last `cut` and what training its trigger waited for, with
        `cut.epochs` to go; for how many of them the run goes on."""
        return 0

    def recover(self, trainer: Trainer, cut: Cut) -> None:
        """Called right after `cut`, with its masks in force."""
