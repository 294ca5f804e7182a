"""A loss must be a function of the weights: the same twice, whichever examples share a batch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from store.command import BadInput

TOLERANCE = 1e-3  # relative to 1 + |loss|; half precision rounds that much, dropout and batch statistics change more


def check_repeatable(losses: Callable[[Tensor, Tensor], Tensor], x: Tensor, y: Tensor) -> None:
    """Compare the examples' summed loss in one batch with that in two halves; the random state is restored.

    Both dropout that ignores eval mode and normalisation by the batch's own statistics show there.
    """
    half = len(x) // 2
    with torch.random.fork_rng(devices=[x.device] if x.is_cuda else []):
        whole = losses(x, y).sum()
        again = losses(x[:half], y[:half]).sum() + losses(x[half:], y[half:]).sum() if half else losses(x, y).sum()
    if (whole - again).abs() > TOLERANCE * len(x) * (1 + whole.abs() / len(x)):
        raise BadInput(
            f"the mean loss of the same {len(x)} examples is {whole.item() / len(x):.6g} in one batch and "
            f"{again.item() / len(x):.6g} in two, in eval mode: the network is random\n"
            "(dropout without its `training` argument?) or normalises by the batch (track_running_stats=False?)"
        )
