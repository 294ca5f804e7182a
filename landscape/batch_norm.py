"""Batch-norm statistics of a network re-estimated from data."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo.batches import batches

BatchNorm = nn.modules.batchnorm._BatchNorm


def reestimate(model: nn.Module, x: Tensor, batch_size: int | None = None) -> None:
    """Set running means and variances to those over x (N, ...), in place: layer by layer in forward order.

    One pass for each layer, the layers before it having their new statistics already, so that the outcome is that of
    the whole data as one batch, whatever the chunks. The variance is the unbiased one, as in training.
    """
    for module in _in_forward_order(model, x[:1]):
        total, squares, count = 0.0, 0.0, 0

        def collect(_: nn.Module, inputs: tuple[Any, ...]) -> None:
            nonlocal total, squares, count
            values = inputs[0].double().transpose(0, 1).flatten(1)  # (n, C, ...) -> (C, n * positions)
            total, squares, count = total + values.sum(1), squares + (values**2).sum(1), count + values.shape[1]

        with torch.no_grad(), module.register_forward_pre_hook(collect):
            for inputs, _ in batches(x, x, batch_size):
                model(inputs)
        mean = total / count
        module.running_mean.copy_(mean)
        module.running_var.copy_((squares - count * mean**2) / max(1, count - 1))


def _in_forward_order(model: nn.Module, x: Tensor) -> list[Any]:
    """Batch-norm layers with running statistics, each once, as a pass meets them."""
    met: dict[nn.Module, None] = {}
    layers = [module for module in model.modules() if isinstance(module, BatchNorm) and module.track_running_stats]
    hooks = [layer.register_forward_pre_hook(lambda module, _: met.setdefault(module)) for layer in layers]
    with torch.no_grad():
        model(x)
    for hook in hooks:
        hook.remove()
    return list(met)
