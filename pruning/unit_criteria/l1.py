"""The l1 norm of a unit's weights (Li et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.criterion import Criterion
from pruning.context.unit_weights import filters

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class L1(Criterion):
    """||F||_1, F being the weights that make the unit."""

    name: ClassVar[str] = "l1"
    summary: ClassVar[str] = "sum of |w| over the weights that make a unit (Li et al. 2017)"

    def score(self, context: Context) -> dict[str, Tensor]:
        return {group.name: filters(context.weights, group).abs().sum(1) for group in context.space.groups}
