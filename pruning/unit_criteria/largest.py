"""The largest of a unit's weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.criterion import Criterion
from pruning.context.unit_weights import filters

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class Largest(Criterion):
    """max |w| over the weights that make the unit: below a threshold on |w| it is empty."""

    name: ClassVar[str] = "largest"
    summary: ClassVar[str] = "largest |w| of the weights that make a unit"

    def score(self, context: Context) -> dict[str, Tensor]:
        return {group.name: filters(context.weights, group).abs().amax(1) for group in context.space.groups}
