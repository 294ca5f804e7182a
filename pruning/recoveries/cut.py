"""What a recovery is told of the cut that was just made."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

    from minima.store.checkpoints.checkpoint import Checkpoint
    from minima.zoo.training.recipe import Recipe


@dataclass(frozen=True)
class Cut:
    """What a recovery is told of a cut that has just been made."""

    parent: Checkpoint
    recipe: Recipe
    """of the run: whatever rule a recovery follows, it follows from this one"""
    epochs: int
    """until the next event (rounded up)"""
    first: bool
    density: float
    """part of these weights that is left"""
    removed: float
    """part that went, of those that were left"""
    lost: float
    """||what went|| / ||the network before|| (see `lost_norm`)"""
    counted: Sequence[str] = ()
    """names of the weights that sparsity is counted over"""


def lost_norm(model: nn.Module, weights: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> float:
    """sqrt(|  ||W||^2 - ||W masked||^2  |) / ||W||, W being all parameters; asked before the cut to `masks`.

    >>> import torch
    >>> model = torch.nn.Linear(2, 1, bias=False)
    >>> _ = model.weight.data.copy_(torch.tensor([[3.0, 4.0]]))
    >>> round(lost_norm(model, {"weight": model.weight}, {"weight": torch.tensor([[False, True]])}), 6)
    0.6
    """
    whole = sum(float(parameter.detach().double().square().sum()) for parameter in model.parameters())
    gone = sum(float(weight.detach()[~masks[name]].double().square().sum()) for name, weight in weights.items())
    return math.sqrt(gone / whole) if whole else 0.0
