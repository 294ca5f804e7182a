"""Preservation of gradient flow (Wang et al. 2020, GraSP)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruning.context.probe import Probe, leaves
from pruning.scorers.agreement import Estimate, another_draw
from pruning.scorers.sensitivity import gradient

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context
    from pruning.context.probe import Loss


@dataclass(frozen=True)
class GradientFlow:
    """w (H g): removing the weight changes |g|^2 by about -2 w (H g), so what stays is what has the highest score.

    Scores may be negative while a removed weight's is 0: the selection leaves removed weights out.
    """

    probe: Probe

    def score(self, context: Context) -> dict[str, Tensor]:
        weights = leaves(context.weights)
        with self.probe.losses(context) as losses:
            products = hessian_gradient(losses, weights)
        return {name: weight.detach() * products[name] for name, weight in weights.items()}

    def estimate(self, context: Context) -> Estimate:
        return another_draw(self, self.probe, context)


def hessian_gradient(
    losses: Sequence[Loss], weights: Mapping[str, Tensor], kept: Mapping[str, Tensor] | None = None
) -> dict[str, Tensor]:
    """H g of the sum of `losses` at leaves `weights`, both over these weights only: half the gradient of |g|^2.

    `kept`: masks; g is then zero elsewhere, H g is not.

    >>> import torch
    >>> w = {"w": torch.tensor([1.0, 1.5], requires_grad=True)}
    >>> hessian_gradient([lambda w: (torch.tensor([2.0, 1.0]) * w["w"] ** 2).sum() / 2], w)["w"]
    tensor([4.0000, 1.5000])
    """
    import torch

    slopes, names = gradient(losses, weights), list(weights)
    if kept is not None:
        slopes = {name: slope.masked_fill(~kept[name], 0) for name, slope in slopes.items()}
    total = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    for loss in losses:
        own = torch.autograd.grad(loss(weights), list(weights.values()), create_graph=True, materialize_grads=True)
        along = torch.stack([(part * slopes[name]).sum() for name, part in zip(names, own, strict=True)]).sum()
        if not along.requires_grad:  # the loss is linear in the weights
            continue
        products = torch.autograd.grad(along, list(weights.values()), materialize_grads=True)
        total = {name: total[name] + product for name, product in zip(names, products, strict=True)}
    return total
