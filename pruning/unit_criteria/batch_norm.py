"""The scale of a unit's batch normalisation (network slimming: Liu et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from minima.store.command import BadInput
from pruning.context.criterion import Criterion
from pruning.context.unit_weights import is_norm, of_units, owner

if TYPE_CHECKING:
    from torch import Tensor

    from minima.zoo.anatomy.unit_groups import UnitGroup
    from pruning.context.context import Context


@dataclass(frozen=True)
class BatchNorm(Criterion):
    """|gamma| of the batch normalisation behind the unit, summed where there are several. Units that no batch
    normalisation follows all stay."""

    name: ClassVar[str] = "batch-norm"
    summary: ClassVar[str] = "|gamma| of the batch normalisation behind a unit (Liu et al. 2017)"

    def score(self, context: Context) -> dict[str, Tensor]:
        found = {group.name: _scales(context, group) for group in context.space.groups}
        scores = {name: scale for name, scale in found.items() if scale is not None}
        if not scores:
            raise BadInput(
                "no batch normalisation with a scale of its own follows any removable unit of this network, so that "
                "none can be ranked by it.\nRank them by something else: python -m pruning filters --criterion l1"
            )
        return scores


def _scales(context: Context, group: UnitGroup) -> Tensor | None:
    parameters = dict(context.model.named_parameters())
    scales = [
        of_units(parameters[name].detach().double(), axis, places).abs().sum(1)
        for (name, axis), places in group.made.items()
        if name in parameters and name.endswith("weight") and is_norm(owner(context.model, name))
    ]
    return sum(scales[1:], scales[0]) if scales else None
