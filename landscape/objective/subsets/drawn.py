"""A subset of single weights, drawn at random."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from landscape.objective.streams import stream
from minima.store.command import BadInput
from minima.zoo.anatomy.prunable import prunable

if TYPE_CHECKING:
    from torch import Tensor, nn


def drawn_subset(model: nn.Module, masks: Mapping[str, Tensor], count: int, seed: int) -> dict[str, Tensor]:
    """`count` of the surviving weights of convolutions and linear layers, all equally likely; False everywhere else.

    A weight's chance number depends on the seed and its place only, and the lowest are taken: what a mask leaves out is
    replaced by the next.

    Args:
        model: the network.
        masks: what survives (True), by parameter name.
        count: how many single weights.
        seed: of the draw.

    Raises:
        BadInput: fewer are left.

    >>> import torch
    >>> found = drawn_subset(torch.nn.Linear(3, 2), {}, 4, 0)
    >>> {name: int(each.sum()) for name, each in found.items()}
    {'weight': 4, 'bias': 0}
    """
    import torch

    weights = prunable(model)
    alive = {name: masks.get(name, torch.ones_like(w, dtype=torch.bool)).cpu().flatten() for name, w in weights.items()}
    left = sum(int(each.sum()) for each in alive.values())
    if not 1 <= count <= left:
        raise BadInput(f"expected 1 to {left:,}, the weights of convolutions and linear layers that are left")
    chances = torch.rand(sum(map(len, alive.values())), generator=stream(seed, "subset"), dtype=torch.float64)
    chances = chances.masked_fill(~torch.cat(list(alive.values())), 2.0)
    chosen = torch.zeros_like(chances, dtype=torch.bool)
    chosen[chances.argsort(stable=True)[:count]] = True
    parts = dict(zip(weights, chosen.split([each.numel() for each in weights.values()]), strict=True))
    return {
        name: (parts[name].view(p.shape).to(p.device) if name in parts else torch.zeros_like(p, dtype=torch.bool))
        for name, p in model.named_parameters()
    }
