"""One rule for the first cut, another for all later ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context
    from pruning.scopes.scope import Scope


@dataclass(frozen=True)
class FirstThen:
    """A scope that draws a sparse start by `first`, and makes later cuts by another."""

    first: Scope
    then: Scope

    def pools(self, context: Context, alive: dict[str, Tensor], kept: int) -> Sequence[tuple[tuple[str, ...], int]]:
        return (self.then if context.cuts else self.first).pools(context, alive, kept)
