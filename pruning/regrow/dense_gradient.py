"""The gradient with respect to removed weights too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landscape.streams import stream

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context import Context


def dense_gradients(context: Context) -> dict[str, Tensor]:
    """Of the mean cross-entropy (nats) of one batch in eval mode, drawn anew at each event; for every tensor."""
    import torch
    from torch.nn.functional import cross_entropy

    from zoo.evaluation import evaluating

    order = torch.randperm(len(context.x), generator=stream(context.seed, "batch", context.events))
    batch = order[: context.batch_size].to(context.x.device)
    with evaluating(context.model):
        loss = cross_entropy(context.model(context.x[batch]), context.y[batch])
        found = torch.autograd.grad(loss, list(context.weights.values()), materialize_grads=True)
    return dict(zip(context.weights, found, strict=True))
