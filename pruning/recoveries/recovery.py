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
        """See, before any work, that the parent has what the recovery needs.

        Raises:
            BadInput: it does not, as without the weights of the epoch to go back to.
        """
        return

    def finish(self, trainer: Trainer, cut: Cut) -> int:  # noqa: ARG002
        """Prepare what follows the last cut of a run whose trigger decides alone when it is over.

        Args:
            trainer: the run, after the last cut and the training that its trigger waited for.
            cut: the last cut; `cut.epochs` are left of the run.

        Returns:
            for how many of these epochs the run goes on.
        """
        return 0

    def recover(self, trainer: Trainer, cut: Cut) -> None:
        """Change weights, optimiser or rate in place, right after a cut whose masks are in force.

        Args:
            trainer: the run; `restart`, `freeze` and its model are what can be changed.
            cut: what was cut, and the epochs until the next event.
        """
