"""The mean activation of a unit (Molchanov et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.criterion import Criterion
from pruning.context.readings import mean_over_data

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class MeanActivation(Criterion):
    """Mean |a| over examples and positions of the training part, as the layers that read the unit see it; averaged over
    these layers. Behind a rectifier it is the mean activation."""

    name: ClassVar[str] = "mean-activation"
    summary: ClassVar[str] = "mean |a| of a unit's values as its readers see them (Molchanov et al. 2017)"

    def score(self, context: Context) -> dict[str, Tensor]:
        return mean_over_data(context, lambda values: values.double().abs())
