"""First-order Taylor importance of a whole unit (Molchanov et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from minima.zoo.examples.batches import batches
from minima.zoo.examples.evaluation import evaluating
from pruning.context.criterion import Criterion
from pruning.context.probe import differentiable
from pruning.context.unit_weights import of_units

if TYPE_CHECKING:
    from torch import Tensor

    from minima.zoo.anatomy.unit_groups import Entries, UnitGroup
    from pruning.context.context import Context


@dataclass(frozen=True)
class Taylor(Criterion):
    """(dL/da)^2 averaged over the mini-batches of the training part, a = 1 being a gate on the unit's value where other
    layers read it, and L a mini-batch's mean loss: the squared change of the loss, to first order, if the unit goes.

    dL/da = sum w dL/dw over all weights that read the unit: exact, whatever lies between the unit and its readers.
    """

    name: ClassVar[str] = "taylor"
    summary: ClassVar[str] = "(change of the loss if a unit goes, to first order)^2 (Molchanov et al. 2019)"

    def score(self, context: Context) -> dict[str, Tensor]:
        parts, groups = list(batches(context.x, context.y, context.batch_size)), context.space.groups
        weights = reading_weights(context, groups)
        total: dict[str, Any] = {group.name: 0.0 for group in groups}
        for x, y in parts:
            slopes = _gradients(context, weights, x, y)
            for group in groups:
                total[group.name] += gate_slopes(group.read, weights, slopes).square()
        return {name: each / len(parts) for name, each in total.items()}


def reading_weights(context: Context, groups: Sequence[UnitGroup]) -> dict[str, Tensor]:
    """The parameters that read units, by name."""
    parameters = dict(context.model.named_parameters())
    return {name: parameters[name] for group in groups for name, _ in group.read}


def gate_slopes(places: Entries, weights: Mapping[str, Tensor], slopes: Mapping[str, Tensor]) -> Tensor:
    """(size,) in float64: sum over the weights at each unit's places of w dL/dw, its slopes being given."""
    parts = [
        of_units((weights[name].detach() * slopes[name]).double(), axis, where).sum(1)
        for (name, axis), where in places.items()
    ]
    return sum(parts[1:], parts[0])


def _gradients(context: Context, weights: Mapping[str, Tensor], x: Any, y: Any) -> dict[str, Tensor]:
    import torch

    with evaluating(context.model), differentiable(weights):
        loss = context.task.mean(context.model, x, y)
        slopes = torch.autograd.grad(loss, list(weights.values()), materialize_grads=True)
    return dict(zip(weights, slopes, strict=True))
