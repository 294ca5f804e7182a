"""What a scope is: which tensors compete with one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context

    Tensors = dict[str, Tensor]


class Scope(Protocol):
    """Within which groups of tensors scores compete: in each pool the highest stay."""

    def pools(self, context: Context, alive: Tensors, kept: int) -> Sequence[tuple[tuple[str, ...], int]]:
        """How what is kept is shared out among pools.

        Args:
            context: the run at this moment.
            alive: bool by name: which weights of a tensor, or units of a group, are left before the cut.
            kept: how many stay altogether.

        Returns:
            for each pool the names in it and how many these keep together: no more than they have left, `kept` in all.
        """
