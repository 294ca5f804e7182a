"""Units at random, as a baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.objective.streams import stream
from pruning.context.criterion import Criterion

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class Chance(Criterion):
    """Uniform numbers, drawn under the run's seed and the number of the cut."""

    name: ClassVar[str] = "random"
    summary: ClassVar[str] = "drawn"

    def score(self, context: Context) -> dict[str, Tensor]:
        import torch

        draws = stream(context.seed, "units", context.cuts)
        device = next(context.model.parameters()).device
        return {
            group.name: torch.rand(group.size, generator=draws, dtype=torch.float64).to(device)
            for group in context.space.groups
        }
