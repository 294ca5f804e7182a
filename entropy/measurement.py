"""First-order PSP-entropy of a network over a set of examples."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from entropy.blocks import BLOCKS, deal
from entropy.layer import LayerEntropy
from entropy.sites import Sites
from entropy.tally import Neurons, tally
from zoo.evaluation import evaluating

COUNT_BYTES = 2**29
"""memory the counts may take; a network with more neurons is counted in fewer blocks"""


def measure(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    classes: int,
    *,
    neurons: Neurons = "position",
    batch_size: int = 256,
    available: int | None = None,
) -> tuple[list[LayerEntropy], dict[str, tuple[int, ...]]]:
    """PSP-entropy of every layer of `model` over x (N, ...) with labels y (N,), in forward order.

    The output layer comes last. In eval mode; the model comes out as it went in. `available`: examples in the split
    that x is the first part of. Also returned: the inputs of activations that have no row per example (shapes by
    name), which are no neurons.
    """
    with evaluating(model):
        blocks = deal(y, classes, _affordable_blocks(model, x, classes))
        tallies = tally(model, x, blocks, neurons, batch_size)
    layers = [
        LayerEntropy(
            name=name,
            shape=site.shape,
            output=name == tallies.output,
            block_counts=site.numpy(),
            block_observed=blocks.sizes.numpy() * site.positions,
            used=len(x),
            available=available or len(x),
        )
        for name, site in tallies.sites.items()
    ]
    return layers, tallies.skipped


def _affordable_blocks(model: nn.Module, x: Tensor, classes: int) -> int:
    """As many jackknife blocks as the counts of all position neurons leave memory for, one at least."""
    potentials = 0

    def visit(_name: str, potential: Tensor, _channels: int) -> None:
        nonlocal potentials
        potentials += potential.numel()

    Sites(model, visit).run(x[:1])
    per_block = potentials * classes * torch.int16.itemsize
    return max(1, min(BLOCKS, len(x), COUNT_BYTES // per_block))
