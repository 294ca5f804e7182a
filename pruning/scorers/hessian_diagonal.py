"""Optimal brain damage (LeCun et al. 1990)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from landscape.objective.streams import stream
from minima.store.command import BadInput, note
from pruning.context.sample import Sample
from pruning.scorers.agreement import Estimate
from pruning.scorers.second_order import estimated, halves_of, mean_of_halves, objective_of, saliency

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.objective.objective import Objective
    from pruning.context.context import Context

Diagonal = Literal["auto", "gauss-newton", "probes"]

COMPARED = 32
"""weights at which the Gauss-Newton diagonal is compared with the Hessian's: one Hessian-vector product each"""
ALIKE = 1e-3
"""relative difference below which it is rounding"""


@dataclass(frozen=True)
class HessianDiagonal:
    """w^2 H_ii / 2 (LeCun et al. 1990), H_ii of the loss in eval mode, for which the exact Gauss-Newton diagonal is
    taken, as LeCun et al. do: where every output is linear in each single weight it is H_ii itself, and it is never
    negative.

    `auto` falls back on Hutchinson's probes of the Hessian where a network has outputs that do not allow it. These are
    below zero where the loss seems to curve downwards: such weights go first.
    """

    sample: Sample
    diagonal: Diagonal = "auto"
    probes: int = 64

    def __post_init__(self) -> None:
        if self.probes < 2:
            raise BadInput(f"--probes {self.probes}: expected 2 at least, whose difference tells the error")

    def score(self, context: Context) -> dict[str, Tensor]:
        return self.estimate(context).scores

    def estimate(self, context: Context) -> Estimate:
        objective = objective_of(self.sample, context)
        if self.diagonal == "probes":
            return self._probed(objective, context)
        from landscape.spectrum.gauss_newton_diagonal import NotExact

        try:
            return self._exact(objective, context)
        except NotExact as reason:
            if self.diagonal == "gauss-newton":
                raise BadInput(f"--diagonal gauss-newton: {reason}.\nGive --diagonal probes to estimate it") from None
            note(f"{reason}: the diagonal is estimated by {self.probes} probes")
            return self._probed(objective, context)

    def _exact(self, objective: Objective, context: Context) -> Estimate:
        from landscape.spectrum.gauss_newton_diagonal import gauss_newton_diagonal

        parts = halves_of(objective)
        diagonals = [gauss_newton_diagonal(part) for part in parts]
        _compare(objective, mean_of_halves(parts, diagonals))
        return estimated(objective, diagonals, self.sample, context)

    def _probed(self, objective: Objective, context: Context) -> Estimate:
        from landscape.spectrum.diagonal import diagonal

        generator = stream(context.seed, "probes", context.cuts)
        counts = (self.probes - self.probes // 2, self.probes // 2)
        first, second = (diagonal(objective.hvp, lambda: objective.signs(generator), n).values for n in counts)
        whole = (counts[0] * first + counts[1] * second) / self.probes
        return Estimate(
            saliency(objective, whole),
            (saliency(objective, first), saliency(objective, second)),
            f"two halves of the {self.probes} probes",
            f"--diagonal gauss-newton (exact), or --probes {16 * self.probes}",
        )


def _compare(objective: Objective, found: Tensor) -> None:
    """Say so where the Hessian's diagonal is another: at the largest entries of parts of the layers."""
    import torch

    places = torch.tensor(_places(list(objective.coordinates.sizes.values()), found), device=found.device)
    units = torch.nn.functional.one_hot(places, objective.dimension).double()
    exact = objective.hvp(units).gather(1, places[:, None])[:, 0]
    size = torch.maximum(found[places].abs(), exact.abs())
    away = (found[places] - exact).abs() / size.clamp(min=1e-6 * float(size.max()) or 1.0)
    if away.max() > ALIKE:
        note(
            "the outputs are not linear in each single weight, so the Gauss-Newton diagonal that ranks the weights is "
            f"not the Hessian's: of the {len(places)} large entries compared one differs by {float(away.max()):.0%} "
            "(LeCun et al. 1990 leave the difference out as well)"
        )


def _places(sizes: Sequence[int], found: Tensor) -> list[int]:
    """The largest entry of each quarter of each layer (queries and keys may lie in one weight with values), or of as
    many of the quarters as are compared."""
    import torch

    quarters = [part for layer in torch.arange(len(found)).split(list(sizes)) for part in layer.tensor_split(4)]
    filled = [part for part in quarters if len(part)]
    return [int(part[found[part].argmax()]) for part in filled[:: -(-len(filled) // COMPARED)]]
