"""What a scope is: which tensors compete with one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context

    Tensors = dict[str, Tensor]


class Scope(Protocol):
    """Within which groups of tensors scores compete."""

    def pools(self, context: Context, alive: Tensors, kept: int) -> Sequence[tuple[tuple[str, ...], int]]:
        """(names of tensors, how many they keep together): sums to `kept`, none keeps more than is alive."""
