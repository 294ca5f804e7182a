"""What decides how many weights a cut keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context

    Tensors = dict[str, Tensor]


class Select(Protocol):
    """How many groups (single weights, or units) a cut keeps: as the target says, or more."""

    validates: ClassVar[bool]  # whether it needs a held-out validation part

    def kept(
        self, context: Context, scores: Tensors, alive: Tensors, cut: Callable[[int], Tensors], target: int
    ) -> int:
        """The number of groups to keep.

        Args:
            context: the run at this moment.
            scores: of what competes, by name.
            alive: bool by name: what is left before the cut.
            cut: cut(n) gives the masks, by parameter name, that keeping n groups would lead to.
            target: the fewest that may be kept.

        Returns:
            a number from `target` to that of the groups left.
        """
