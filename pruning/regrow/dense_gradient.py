"""The gradient with respect to removed weights too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoo.seeds import derive

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context import Context


def dense_gradients(context: Context) -> dict[str, Tensor]:
    """Of the mean cross-entropy (nats) of one batch in eval mode, drawn anew at each event; for every tensor."""
    import torch
    from torch.nn.functional import cross_entropy

    from zoo.evaluation import evaluating

    generator = torch.Generator().manual_seed(derive(context.seed, "batch", context.events))
    batch = torch.randperm(len(context.x), generator=generator)[: context.batch_size].to(context.x.device)
    with evaluating(context.model):
        loss = cross_entropy(context.model(context.x[batch]), context.y[batch])
        found = torch.autograd.grad(loss, list(context.weights.values()), materialize_grads=True)
    return dict(zip(context.weights, found, strict=True))
