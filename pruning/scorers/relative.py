"""A criterion of units relative to what it is in the same layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.scorers.scorer import UnitScorer

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.candidates import Scored
    from pruning.context.context import Context


@dataclass(frozen=True)
class Relative:
    """score / mean |score| of the group's units that are left, so that layers of another scale can be compared."""

    scorer: UnitScorer
    of: ClassVar[Scored] = "units"

    def score(self, context: Context) -> dict[str, Tensor]:
        alive = context.space.alive(context.masks)
        return {name: relative(score, alive[name]) for name, score in self.scorer.score(context).items()}


def relative(scores: Tensor, alive: Tensor) -> Tensor:
    """Scores over the mean |score| of what is `alive`; as they are where that is 0.

    >>> import torch
    >>> relative(torch.tensor([1.0, 3.0, 50.0]), torch.tensor([True, True, False])).tolist()
    [0.5, 1.5, 25.0]
    """
    mean = scores[alive].abs().mean()
    return scores / mean if mean > 0 else scores
