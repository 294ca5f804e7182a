"""Sensitivity of the loss after some steps of training (Alizadeh et al. 2022, ProsPr)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from minima.store.command import BadInput
from pruning.context.probe import Probe, leaves
from pruning.scorers.agreement import Estimate, another_draw

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context
    from pruning.context.probe import Loss


@dataclass(frozen=True)
class LookAhead:
    """|w_0 dL(w_M)/dw_0|, w_M being M steps of gradient descent from w_0; M = 0 is `Sensitivity`.

    The derivative goes through the steps, or with `first_order` takes their gradients for constants. All trainable
    parameters move, removed weights do not.
    """

    probe: Probe
    steps: int = 3
    rate: float = 0.1
    momentum: float = 0.0
    fresh: bool = False
    first_order: bool = False

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise BadInput(f"--steps {self.steps}: expected 0 inner steps or more")
        if not 0 <= self.rate < float("inf"):
            raise BadInput(f"--inner-lr {self.rate}: expected a finite rate, 0 or more")
        if not 0 <= self.momentum < 1:
            raise BadInput(f"--inner-momentum {self.momentum}: expected at least 0 and below 1")

    def score(self, context: Context) -> dict[str, Tensor]:
        from contextlib import ExitStack

        named = {name: weight for name, weight in context.model.named_parameters() if weight.requires_grad}
        start = leaves(named | dict(context.weights))
        with ExitStack() as stack:
            draws = range(self.steps + 1) if self.fresh else [0] * (self.steps + 1)
            losses = [_together(stack.enter_context(self.probe.losses(context, draw))) for draw in draws]
            slopes = self.meta_gradient(losses, start, context.masks)
        return {name: (start[name].detach() * slopes[name]).abs() for name in context.weights}

    def estimate(self, context: Context) -> Estimate:
        return another_draw(self, self.probe, context)

    def meta_gradient(
        self, losses: Sequence[Loss], start: Mapping[str, Tensor], masks: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """dL_M(w_M)/dw_0 at leaves w_0 = `start`, step m descending the m-th of M + 1 losses."""
        import torch

        weights = dict(start)
        velocity = {name: torch.zeros_like(weight) for name, weight in start.items()}
        for loss in losses[:-1]:
            slopes = torch.autograd.grad(
                loss(weights), list(weights.values()), create_graph=not self.first_order, materialize_grads=True
            )
            for name, slope in zip(weights, slopes, strict=True):
                free = slope.masked_fill(~masks[name], 0) if name in masks else slope
                velocity[name] = self.momentum * velocity[name] + free
                weights[name] = weights[name] - self.rate * velocity[name]
        last = torch.autograd.grad(losses[-1](weights), list(start.values()), materialize_grads=True)
        return dict(zip(start, last, strict=True))


def _together(losses: Sequence[Loss]) -> Loss:
    import torch

    return lambda weights: torch.stack([loss(weights) for loss in losses]).sum()
