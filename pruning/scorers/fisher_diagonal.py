"""Saliency by the diagonal of the empirical Fisher matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruning.context.sample import Sample
from pruning.scorers.agreement import Estimate
from pruning.scorers.second_order import estimated, halves_of, objective_of

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.objective.objective import Objective
    from pruning.context.context import Context


@dataclass(frozen=True)
class FisherDiagonal:
    """w^2 F_ii / 2, F_ii the mean squared gradient of one example's loss at its own target, in eval mode; the mean by
    weight where the loss gives examples weights."""

    sample: Sample

    def score(self, context: Context) -> dict[str, Tensor]:
        return self.estimate(context).scores

    def estimate(self, context: Context) -> Estimate:
        objective = objective_of(self.sample, context)
        return estimated(objective, [_mean_square(part) for part in halves_of(objective)], self.sample, context)


def _mean_square(objective: Objective) -> Tensor:
    import torch

    squares = torch.zeros_like(objective.point)
    for example in range(len(objective.x)):
        one = objective.of(slice(example, example + 1))
        squares += one.weighing.total * one.gradient().square()
    return objective.weighing.mean(squares)
