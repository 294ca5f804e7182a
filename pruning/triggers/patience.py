"""Fine-tune until the validation loss no longer falls, then cut (Janusz et al. 2025)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from minima.store.command import BadInput
from pruning.triggers.plateau import bad_epochs
from pruning.triggers.trigger import Trigger

if TYPE_CHECKING:
    from pruning.context.context import Context


@dataclass(frozen=True)
class Patience(Trigger):
    """After cut number k, waits for `epochs[k - 1]` epochs in a row without a new lowest loss (the last number holds
    for all cuts after it), then goes back to the weights of the lowest. The first cut is made at once."""

    epochs: tuple[int, ...]
    validates: ClassVar[bool] = True
    restores_best: ClassVar[bool] = True
    waits: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.epochs or min(self.epochs) < 1:
            raise BadInput(f"--wait {' '.join(map(str, self.epochs))}: expected numbers of epochs, each at least 1")

    def fires(self, context: Context) -> bool:
        if not context.cuts:
            return True
        return bad_epochs(context.losses, slack=0.0) >= self.epochs[min(context.cuts, len(self.epochs)) - 1]
