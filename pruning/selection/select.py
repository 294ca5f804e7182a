"""What decides how many weights a cut keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context

    Tensors = dict[str, Tensor]


class Select(Protocol):
    """How many to keep at this cut, never fewer than the target leaves."""

    validates: ClassVar[bool]  # whether it needs a held-out validation part

    def kept(
        self, context: Context, scores: Tensors, alive: Tensors, cut: Callable[[int], Tensors], target: int
    ) -> int:
        """Number of groups to keep of those alive; `cut(n)` gives the masks that keeping n would lead to."""
