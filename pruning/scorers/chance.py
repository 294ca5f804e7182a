"""Random scores: the control every criterion has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.seeds import derive

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context import Context


@dataclass(frozen=True)
class Chance:
    """Uniform in [0, 1), a pure function of seed, number of the cut and name of the tensor."""

    def score(self, context: Context) -> dict[str, Tensor]:
        import torch

        def draw(name: str, weight: Tensor) -> Tensor:
            generator = torch.Generator().manual_seed(derive(context.seed, "chance", context.cuts, name))
            # float64: among 10^6 weights, float32 draws would tie
            return torch.rand(weight.shape, generator=generator, dtype=torch.float64).to(weight.device)

        return {name: draw(name, weight) for name, weight in context.weights.items()}
