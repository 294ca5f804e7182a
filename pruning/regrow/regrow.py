"""What brings removed weights back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context

    Tensors = dict[str, Tensor]


class Regrow(Protocol):
    """Which removed weights come back in exchange for others, or beside them."""

    def regrow(self, context: Context, masks: Tensors) -> Tensors:
        """Which weights are kept once some have come back; called after each cut, and where an event cuts nothing.

        Args:
            context: the run at this moment.
            masks: bool, True = kept, by parameter name, after the cut.

        Returns:
            masks of the same tensors. A weight that was removed before starts at zero, with empty optimiser slots.
        """
