"""Derivatives with respect to removed weights too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from landscape.objective.streams import stream
from minima.zoo.examples.evaluation import evaluating
from pruning.context.probe import differentiable, leaves, outputs_at, tempered
from pruning.scorers.gradient_flow import hessian_gradient

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context
    from pruning.context.drop import Flow


def dense_gradients(context: Context) -> dict[str, Tensor]:
    """The gradients of the loss of one batch, for every tensor and removed weights too, in eval mode; the batch is
    drawn anew at each event.
    """
    import torch

    x, y = _batch(context)
    with evaluating(context.model), differentiable(context.weights):
        loss = context.task.mean(context.model, x, y)
        found = torch.autograd.grad(loss, list(context.weights.values()), materialize_grads=True)
    return dict(zip(context.weights, found, strict=True))


def hessian_gradients(context: Context, flow: Flow) -> dict[str, Tensor]:
    """H g of the same batch, half the gradient of |g|^2, for every tensor; `flow` says which gradient g is."""
    from landscape.passes.attention import plain_attention

    x, y = _batch(context)

    def loss(weights: Mapping[str, Tensor]) -> Tensor:
        return context.task.loss.mean(tempered(context, outputs_at(context, weights, x), flow.temperature), y)

    with evaluating(context.model), plain_attention():
        return hessian_gradient([loss], leaves(context.weights), None if flow.dense else context.masks)


def _batch(context: Context) -> tuple[Any, Any]:
    import torch

    order = torch.randperm(len(context.x), generator=stream(context.seed, "batch", context.events))
    batch = order[: context.batch_size].to(context.x.device)
    return context.x[batch], context.y[batch]
