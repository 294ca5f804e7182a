"""What brings removed weights back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context

    Tensors = dict[str, Tensor]


class Regrow(Protocol):
    """Which removed weights come back in exchange for others, or beside them."""

    def regrow(self, context: Context, masks: Tensors) -> Tensors: ...
