"""What the loss gains, to second order, when a single weight of a minimum is removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pruning.context.probe import differentiable
from pruning.scorers.agreement import Estimate

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.objective.objective import Objective
    from pruning.context.context import Context
    from pruning.context.sample import Sample


def objective_of(sample: Sample, context: Context) -> Objective:
    """The loss over the sample as a function of the surviving weights."""
    from landscape.objective.objective import Objective

    x, y = sample.draw(context)
    run: dict[str, Any] = {"loss": context.task.loss, "output": context.task.output, "masks": context.masks}
    with differentiable(context.weights):
        return Objective(context.model, x, y, parameters=list(context.weights), **run)


def saliency(objective: Objective, diagonal: Tensor) -> dict[str, Tensor]:
    """The saliency of every weight, w_i^2 A_ii / 2 (LeCun et al. 1990, OBD), as tensors of the weights' shapes.

    `diagonal` is (d,), A_ii of the weights that may move; removed weights have 0. It is in the unit of the loss.
    """
    coordinates = objective.coordinates
    return coordinates.tensors(coordinates.extend(objective.point.square() * diagonal / 2))


def halves_of(objective: Objective) -> list[Objective]:
    """The objective over every other example and that over the rest, so that both hold all classes where the sample
    does; of one example, itself.
    """
    import torch

    places = torch.arange(len(objective.x), device=objective.x.device)
    return [objective.of(part) for part in (places[::2], places[1::2]) if len(part)]


def mean_of_halves(parts: Sequence[Objective], values: Sequence[Tensor]) -> Tensor:
    """A mean over all examples, sum_k W_k m_k / sum_k W_k, of the halves' means m_k and their total weights W_k."""
    import torch

    sizes = torch.tensor([part.weighing.total for part in parts], dtype=torch.float64, device=values[0].device)
    return torch.tensordot(sizes / sizes.sum(), torch.stack(list(values)), 1)


def estimated(objective: Objective, diagonals: Sequence[Tensor], sample: Sample, context: Context) -> Estimate:
    """The saliency by a diagonal that is a mean over examples, from its means over `halves_of` the objective."""
    parts = halves_of(objective)
    scores = saliency(objective, mean_of_halves(parts, diagonals))
    examples = len(objective.x)
    if examples == len(context.x) or len(diagonals) == 1:
        return Estimate(scores)
    first, second = (saliency(objective, each) for each in diagonals)
    return Estimate(scores, (first, second), f"two halves of the {examples} examples", sample.remedy())
