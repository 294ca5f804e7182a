"""How often a unit is not zero (APoZ: Hu et al. 2016)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.criterion import Criterion
from pruning.context.readings import mean_over_data

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class Apoz(Criterion):
    """1 - APoZ: the fraction of the values that are not zero, over examples and positions of the training part, as the
    layers that read the unit see it (behind a pooling, the pooled values); averaged over these layers."""

    name: ClassVar[str] = "apoz"
    summary: ClassVar[str] = "fraction of a unit's values, as its readers see them, that are not 0 (Hu et al. 2016)"

    def score(self, context: Context) -> dict[str, Tensor]:
        return mean_over_data(context, lambda values: (values != 0).double())
