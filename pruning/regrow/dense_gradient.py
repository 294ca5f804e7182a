"""Derivatives with respect to removed weights too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landscape.objective.streams import stream

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context
    from pruning.context.drop import Flow


def dense_gradients(context: Context) -> dict[str, Tensor]:
    """Of the mean cross-entropy (nats) of one batch in eval mode, drawn anew at each event; for every tensor."""
    import torch
    from torch.nn.functional import cross_entropy

    from minima.zoo.examples.evaluation import evaluating

    x, y = _batch(context)
    with evaluating(context.model):
        found = torch.autograd.grad(
            cross_entropy(context.model(x), y), list(context.weights.values()), materialize_grads=True
        )
    return dict(zip(context.weights, found, strict=True))


def hessian_gradients(context: Context, flow: Flow) -> dict[str, Tensor]:
    """H g of the same batch, half the gradient of |g|^2, for every tensor; `flow` says which gradient g is."""
    from torch.func import functional_call
    from torch.nn.functional import cross_entropy

    from landscape.passes.attention import plain_attention
    from minima.zoo.examples.evaluation import evaluating
    from pruning.context.probe import leaves
    from pruning.scorers.gradient_flow import hessian_gradient

    x, y = _batch(context)
    with evaluating(context.model), plain_attention():
        return hessian_gradient(
            [lambda weights: cross_entropy(functional_call(context.model, dict(weights), (x,)) / flow.temperature, y)],
            leaves(context.weights),
            None if flow.dense else context.masks,
        )


def _batch(context: Context) -> tuple[Tensor, Tensor]:
    import torch

    order = torch.randperm(len(context.x), generator=stream(context.seed, "batch", context.events))
    batch = order[: context.batch_size].to(context.x.device)
    return context.x[batch], context.y[batch]
