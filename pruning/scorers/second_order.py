"""What the loss gains, to second order, when a single weight of a minimum is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.objective.objective import Objective
    from pruning.context.context import Context
    from pruning.context.sample import Sample


def objective_of(sample: Sample, context: Context) -> Objective:
    """The mean loss over the sample as a function of the surviving weights."""
    from landscape.objective.objective import Objective

    x, y = sample.draw(context)
    return Objective(context.model, x, y, masks=context.masks, parameters=list(context.weights))


def saliency(objective: Objective, diagonal: Tensor) -> dict[str, Tensor]:
    """w^2 A_ii / 2 by tensor; 0 where removed."""
    coordinates = objective.coordinates
    return coordinates.tensors(coordinates.extend(objective.point.square() * diagonal / 2))
