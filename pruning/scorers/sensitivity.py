"""Connection sensitivity (Lee et al. 2019, SNIP)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruning.context.probe import Probe, leaves
from pruning.scorers.agreement import Estimate, another_draw

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context
    from pruning.context.probe import Loss


@dataclass(frozen=True)
class Sensitivity:
    """|w dL/dw|: how fast the loss changes as a gate on the weight closes.

    The gradient is that by the weights in force, so that a removed weight scores 0 and cannot come back. Neither the
    normalisation by the sum nor the elasticity |w dL/dw / L| of SNIP-it changes the order.
    """

    probe: Probe

    def score(self, context: Context) -> dict[str, Tensor]:
        weights = leaves(context.weights)
        with self.probe.losses(context) as losses:
            slopes = gradient(losses, weights)
        return {name: (weight.detach() * slopes[name]).abs() for name, weight in weights.items()}

    def estimate(self, context: Context) -> Estimate:
        return another_draw(self, self.probe, context)


def gradient(losses: Sequence[Loss], weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """dL/dw of the sum of `losses` at leaves `weights`.

    >>> import torch
    >>> w = {"w": torch.tensor([3.0, -2.0], requires_grad=True)}
    >>> gradient([lambda w: (w["w"] @ torch.tensor([1.0, 2.0])) ** 2 / 2], w)["w"]
    tensor([-1., -2.])
    """
    import torch

    total = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    for loss in losses:
        slopes = torch.autograd.grad(loss(weights), list(weights.values()), materialize_grads=True)
        total = {name: total[name] + slope for name, slope in zip(weights, slopes, strict=True)}
    return total
