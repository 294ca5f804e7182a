"""Random scores: the control every criterion has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landscape.objective.streams import stream

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class Chance:
    """Uniform in [0, 1), a pure function of seed, number of the cut and name of the tensor."""

    def score(self, context: Context) -> dict[str, Tensor]:
        return {
            name: uniform(weight, stream(context.seed, "chance", context.cuts, name))
            for name, weight in context.weights.items()
        }


def uniform(like: Tensor, draws: Generator) -> Tensor:
    """Numbers in [0, 1) of a tensor's shape and on its device, but drawn on the CPU: the same on every device."""
    import torch

    # float64: among 10^6 weights, float32 draws would tie
    return torch.rand(like.shape, generator=draws, dtype=torch.float64).to(like.device)
