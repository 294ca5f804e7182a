"""Distance from the Fermat point of a layer's filters (Huang et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.criterion import Criterion
from pruning.context.unit_weights import filters

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context

STEPS = 1000
"""of Weiszfeld's iteration at most"""


@dataclass(frozen=True)
class Fermat(Criterion):
    """||F_j - F*||_2, F* being the point with the least sum of distances to the units of the group that are left."""

    name: ClassVar[str] = "fermat"
    summary: ClassVar[str] = "distance to the point that has the least sum of distances to all units of the layer"
    relative: ClassVar[bool] = True

    def score(self, context: Context) -> dict[str, Tensor]:
        alive, scores = context.space.alive(context.masks), {}
        for group in context.space.groups:
            points = filters(context.weights, group)
            scores[group.name] = (points - fermat_point(points[alive[group.name]])).norm(dim=1)
        return scores


def fermat_point(points: Tensor) -> Tensor:
    """The geometric median (d,) of points (n, d): one of them where that is it, else by Weiszfeld's iteration.

    >>> import torch
    >>> fermat_point(torch.tensor([[0.0], [1.0], [10.0]]))
    tensor([1.])
    """
    import torch

    apart = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    near = apart == 0
    pulls = torch.where(near, 0.0, 1 / apart.masked_fill(near, 1))
    forces = (points * pulls.sum(1, keepdim=True) - pulls @ points).norm(dim=1)
    if bool((held := forces <= near.sum(1) * (1 + 1e-12)).any()):
        return points[held.nonzero()[0, 0]]
    at = points.mean(0)
    for _ in range(STEPS):
        weights = 1 / (points - at).norm(dim=1).clamp(min=torch.finfo(points.dtype).tiny)
        there = weights @ points / weights.sum()
        if bool((there - at).norm() <= 1e-12 * (1 + at.norm())):
            break
        at = there
    return there
