"""A criterion of units for each multiply-add that goes with them (3SP: van Amersfoort et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.scorers.scorer import UnitScorer

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.candidates import Scored
    from pruning.context.context import Context


@dataclass(frozen=True)
class PerCost:
    """score / cost, the cost being the multiply-adds that the network saves if one unit of the group goes: in the layer
    that makes it and in those that read it, as they are at this cut."""

    scorer: UnitScorer
    of: ClassVar[Scored] = "units"

    def score(self, context: Context) -> dict[str, Tensor]:
        saved = context.space.saved(context.masks)
        return {name: per_cost(score, saved[name]) for name, score in self.scorer.score(context).items()}


def per_cost(scores: Tensor, cost: float) -> Tensor:
    """Scores for each unit of cost.

    >>> import torch
    >>> [float(per_cost(torch.tensor(score), cost)) for score, cost in ((4.0, 8), (3.0, 2))]
    [0.5, 1.5]
    """
    return scores / max(cost, 1)
