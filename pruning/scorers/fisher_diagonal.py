"""Saliency by the diagonal of the empirical Fisher matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruning.context.sample import Sample
from pruning.scorers.second_order import objective_of, saliency

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class FisherDiagonal:
    """w^2 F_ii / 2, F_ii the mean squared gradient of one example's loss at its own label, in eval mode."""

    sample: Sample

    def score(self, context: Context) -> dict[str, Tensor]:
        import torch

        objective = objective_of(self.sample, context)
        squares = torch.zeros_like(objective.point)
        for example in range(len(objective.x)):
            squares += objective.of(slice(example, example + 1)).gradient().square()
        return saliency(objective, squares / len(objective.x))
