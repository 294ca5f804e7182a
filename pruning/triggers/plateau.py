"""Cut when the validation loss has stopped falling (Tartaglione et al. 2022: PWE)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from minima.store.command import BadInput
from pruning.context.context import raised
from pruning.triggers.trigger import Trigger

if TYPE_CHECKING:
    from pruning.context.context import Context


@dataclass(frozen=True)
class Plateau(Trigger):
    """Fires after `patience` bad epochs in a row; the cut then starts from the best weights since the last cut."""

    patience: int
    slack: float = 0.01
    validates: ClassVar[bool] = True
    restores_best: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.patience < 0:
            raise BadInput(f"--plateau {self.patience}: expected a number of epochs, 0 or more")

    def fires(self, context: Context) -> bool:
        return bad_epochs(context.losses, self.slack) >= self.patience


def bad_epochs(losses: Sequence[float], slack: float) -> int:
    """Epochs in a row, up to the last, whose loss was not below (1 + slack) x the lowest before them.

    With a slack, a loss slightly above the best one still counts as good.

    >>> [bad_epochs([1.0, 1.005, 1.02, 1.02][:epochs], 0.01) for epochs in (1, 2, 3, 4)]
    [0, 0, 1, 2]
    """
    best, bad = float("inf"), 0
    for loss in losses:
        bad = 0 if loss < raised(best, slack) else bad + 1
        best = min(best, loss)
    return bad
