"""Optimal brain damage (LeCun et al. 1990)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landscape.objective.streams import stream
from minima.store.command import BadInput
from pruning.context.sample import Sample
from pruning.scorers.second_order import objective_of, saliency

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class HessianDiagonal:
    """w^2 H_ii / 2 (LeCun et al. 1990), H_ii of the loss in eval mode by Hutchinson's probes.

    Below zero where the loss curves downwards: such weights go first.
    """

    sample: Sample
    probes: int = 64

    def __post_init__(self) -> None:
        if self.probes < 1:
            raise BadInput(f"--probes {self.probes}: expected at least 1")

    def score(self, context: Context) -> dict[str, Tensor]:
        from landscape.spectrum.diagonal import diagonal

        objective = objective_of(self.sample, context)
        generator = stream(context.seed, "probes", context.cuts)
        return saliency(objective, diagonal(objective.hvp, lambda: objective.signs(generator), self.probes).values)
