"""The l2 norm of a unit's weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.criterion import Criterion
from pruning.context.unit_weights import filters

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class L2(Criterion):
    """||F||_2, F being the weights that make the unit."""

    name: ClassVar[str] = "l2"
    summary: ClassVar[str] = "root of the sum of w^2 over the weights that make a unit"

    def score(self, context: Context) -> dict[str, Tensor]:
        return {group.name: filters(context.weights, group).norm(dim=1) for group in context.space.groups}
