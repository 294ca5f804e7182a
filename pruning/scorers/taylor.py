"""First-order Taylor importance (Molchanov et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput
from minima.zoo.examples.batches import batches
from minima.zoo.examples.evaluation import evaluating
from pruning.context.probe import differentiable
from pruning.scorers.agreement import Estimate

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class Taylor:
    """(w g)^2, averaged over mini-batches of the training part in file order, g being the gradient of each one's mean
    loss: the squared change of the loss, to first order, if the weight goes. None: all batches."""

    batches: int | None = None

    def __post_init__(self) -> None:
        if self.batches is not None and self.batches < 1:
            raise BadInput(f"--batches {self.batches}: expected at least 1, or none given for the whole training part")

    def score(self, context: Context) -> dict[str, Tensor]:
        return self.estimate(context).scores

    def estimate(self, context: Context) -> Estimate:
        parts, count = list(batches(context.x, context.y, context.batch_size)), self.batches
        if count is None or count >= len(parts):
            return Estimate(_importance(context, parts))
        first, next_ones = _importance(context, parts[:count]), _importance(context, parts[count : 2 * count])
        drawn = f"the first {count} batches and the {len(parts[count : 2 * count])} after them"
        return Estimate(first, (first, next_ones), drawn, "more --batches, or none given for all")


def _importance(context: Context, parts: Sequence[tuple[Any, Any]]) -> dict[str, Tensor]:
    import torch

    weights = context.weights
    totals = {name: torch.zeros_like(weight, dtype=torch.float64) for name, weight in weights.items()}
    with evaluating(context.model), differentiable(weights):
        for x, y in parts:
            loss = context.task.mean(context.model, x, y)
            gradients = torch.autograd.grad(loss, list(weights.values()), materialize_grads=True)
            for (name, weight), gradient in zip(weights.items(), gradients, strict=True):
                totals[name] += (weight.detach() * gradient).double().square()
    return {name: total / len(parts) for name, total in totals.items()}
