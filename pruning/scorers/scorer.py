"""What a scorer is: the importance of each weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context

    Tensors = dict[str, Tensor]


class Scorer(Protocol):
    """Importance of each weight, high = keep; leaves model, gradients, buffers and random state as they were."""

    def score(self, context: Context) -> Tensors: ...
