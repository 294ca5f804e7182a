"""Whether outputs look like probabilities already."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

TOLERANCE = 1e-5


def sum_to_one(outputs: Tensor, axis: int) -> bool:
    """Whether outputs are non-negative and sum to one along a class axis of more than one, for every example.

    >>> import torch
    >>> sum_to_one(torch.tensor([[0.25, 0.75]]), 1), sum_to_one(torch.tensor([[1.0]]), 1)
    (True, False)
    """
    if outputs.shape[axis] < 2 or not outputs.numel():
        return False
    return bool((outputs >= 0).all()) and bool(((outputs.double().sum(axis) - 1).abs() <= TOLERANCE).all())


def within_zero_and_one(outputs: Tensor) -> bool:
    """Whether all outputs lie in [0, 1]."""
    return bool(outputs.numel()) and bool(((outputs >= 0) & (outputs <= 1)).all())
