"""All tensors compete with each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class WholeNetwork:
    """All weights of the network compete with each other, in one pool."""

    def pools(self, context: Context, alive: dict[str, Tensor], kept: int) -> list[tuple[tuple[str, ...], int]]:  # noqa: ARG002
        return [(tuple(alive), kept)]
