"""loss-landscapes 3.0.6 as its documentation shows: a plane of random directions, all images as one batch."""

from __future__ import annotations

from typing import Any

import loss_landscapes
from loss_landscapes.metrics import Loss
from torch import Tensor, nn


def surface(model: nn.Module, x: Tensor, y: Tensor, steps: int) -> Any:
    """(steps, steps) losses; leaves the model displaced."""
    metric = Loss(nn.CrossEntropyLoss(), x, y)
    return loss_landscapes.random_plane(model, metric, distance=10, steps=steps, normalization="filter")
