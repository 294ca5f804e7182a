"""One rule for the first cut, another for all later ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context
    from pruning.scorers.scorer import Scorer


@dataclass(frozen=True)
class FirstThen:
    """A scorer that draws a sparse start by `first`, and makes later cuts by another."""

    first: Scorer
    then: Scorer

    def score(self, context: Context) -> dict[str, Tensor]:
        return (self.then if context.cuts else self.first).score(context)
