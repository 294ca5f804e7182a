"""Derivatives with respect to removed weights too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landscape.streams import stream

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context import Context


def dense_gradients(context: Context) -> dict[str, Tensor]:
    """Of the mean cross-entropy (nats) of one batch in eval mode, drawn anew at each event; for every tensor."""
    import torch

    from zoo.evaluation import evaluating

    with evaluating(context.model):
        found = torch.autograd.grad(_loss(context), list(context.weights.values()), materialize_grads=True)
    return dict(zip(context.weights, found, strict=True))


def hessian_gradients(context: Context) -> dict[str, Tensor]:
    """H g of the same batch, g being the gradient of the kept weights: half the gradient of |g|^2; for every tensor."""
    import torch

    from landscape.attention import plain_attention
    from zoo.evaluation import evaluating

    weights, masks = list(context.weights.values()), [context.masks[name] for name in context.weights]
    with evaluating(context.model), plain_attention():
        slopes = torch.autograd.grad(_loss(context), weights, create_graph=True, materialize_grads=True)
        half = (
            torch.stack([(g.masked_fill(~mask, 0) ** 2).sum() for g, mask in zip(slopes, masks, strict=True)]).sum() / 2
        )
        if not half.requires_grad:  # the loss is linear in the weights
            return {name: torch.zeros_like(weight) for name, weight in context.weights.items()}
        found = torch.autograd.grad(half, weights, materialize_grads=True)
    return dict(zip(context.weights, found, strict=True))


def _loss(context: Context) -> Tensor:
    import torch
    from torch.nn.functional import cross_entropy

    order = torch.randperm(len(context.x), generator=stream(context.seed, "batch", context.events))
    batch = order[: context.batch_size].to(context.x.device)
    return cross_entropy(context.model(context.x[batch]), context.y[batch])
