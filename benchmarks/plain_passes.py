"""The plain passes over the data that costs are stated in."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy


def forward(model: nn.Module, x: Tensor, size: int) -> None:
    """The module as it is, `size` examples at once, without gradients."""
    with torch.no_grad():
        for inputs in x.split(size):
            model(inputs)


def forward_backward(model: nn.Module, x: Tensor, y: Tensor, size: int) -> None:
    """The gradient of the mean cross-entropy by `torch.autograd.grad`, `size` examples at once."""
    for inputs, labels in zip(x.split(size), y.split(size), strict=True):
        loss = cross_entropy(model(inputs), labels, reduction="sum") / len(x)
        torch.autograd.grad(loss, list(model.parameters()))
