"""Filter pruning via geometric median (He et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.criterion import Criterion
from pruning.context.unit_weights import filters

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class Fpgm(Criterion):
    """sum_i ||F_i - F_j||_2 over the units i of the same group that are left: one close to all others is replaceable.

    The distances are those of the weights with their signs: F and -F are 2 ||F|| apart.
    """

    name: ClassVar[str] = "fpgm"
    summary: ClassVar[str] = "sum of the distances to the weights of all other units of the layer (He et al. 2019)"
    relative: ClassVar[bool] = True

    def score(self, context: Context) -> dict[str, Tensor]:
        alive = context.space.alive(context.masks)
        return {
            group.name: distances(filters(context.weights, group), alive[group.name]) for group in context.space.groups
        }


def distances(points: Tensor, alive: Tensor) -> Tensor:
    """(n,) for points (n, d): the sum of the distances to those that are `alive` (n,).

    >>> import torch
    >>> points = torch.tensor([[2.0, 2], [2.1, 2], [0.5, 0]], dtype=torch.float64)
    >>> [round(each, 2) for each in distances(points, torch.ones(3) > 0).tolist()]
    [2.6, 2.66, 5.06]
    """
    import torch

    exact = "donot_use_mm_for_euclid_dist"
    return torch.cdist(points, points[alive], compute_mode=exact).sum(1)
