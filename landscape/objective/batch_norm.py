"""Batch-norm statistics of a network re-estimated from data."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from minima.store.command import BadInput
from minima.zoo.examples.batches import batches
from minima.zoo.examples.inputs import call, part_of
from minima.zoo.ranks import ALONE, Ranks

BatchNorm = nn.modules.batchnorm._BatchNorm


def reestimate(model: nn.Module, x: Tensor, batch_size: int | None = None, ranks: Ranks = ALONE) -> None:
    """Set running means and variances to those over x (N, ...), in place: layer by layer in forward order.

    One pass for each layer, the layers before it having their new statistics already, so that the outcome is that of
    the whole data as one batch, whatever the chunks and however many `ranks` share the examples. The variance is the
    unbiased one, as in training.

    Raises:
        BadInput: another kind of layer keeps statistics.
    """
    check_reestimated(model)
    own = part_of(x, ranks.share(len(x)))
    for module in _in_forward_order(model, x[:1]):
        sums = torch.zeros(3, module.num_features, dtype=torch.float64, device=x.device)

        def collect(_: nn.Module, inputs: tuple[Any, ...], named: dict[str, Any], sums: Tensor = sums) -> None:
            values = (
                (*inputs, *named.values())[0].double().transpose(0, 1).flatten(1)
            )  # (n, C, ...) -> (C, n * positions)
            sums += torch.stack([values.sum(1), (values**2).sum(1), torch.full_like(values[:, 0], values.shape[1])])

        with torch.no_grad(), module.register_forward_pre_hook(collect, with_kwargs=True):
            for inputs, _ in batches(own, own, batch_size) if len(own) else ():
                call(model, inputs)
        total, squares, counts = ranks.sum(sums)
        mean = total / counts
        module.running_mean.copy_(mean)
        module.running_var.copy_((squares - counts * mean**2) / (counts - 1).clamp(min=1))


def check_reestimated(model: nn.Module) -> None:
    """Refuse a network whose statistics are not all those of batch norm, which alone are estimated anew."""
    for name, module in model.named_modules():
        if not isinstance(module, BatchNorm) and torch.is_tensor(getattr(module, "running_mean", None)):
            raise BadInput(
                f"{name or 'the network'} ({type(module).__name__}) keeps running statistics, and only those of "
                "torch's batch norm are estimated anew.\nLeave out that they be re-estimated"
            )


def _in_forward_order(model: nn.Module, x: Tensor) -> list[Any]:
    """Batch-norm layers with running statistics, each once, as a pass meets them."""
    met: dict[nn.Module, None] = {}
    layers = [module for module in model.modules() if isinstance(module, BatchNorm) and module.track_running_stats]
    hooks = [layer.register_forward_pre_hook(lambda module, _: met.setdefault(module)) for layer in layers]
    with torch.no_grad():
        call(model, x)
    for hook in hooks:
        hook.remove()
    return list(met)
