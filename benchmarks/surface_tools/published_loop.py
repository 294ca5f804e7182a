"""The loop of the published code of Li et al. (2018), in words of our own: a loader with two workers for each point."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

BATCH, WORKERS = 128, 2
"""its defaults"""


@torch.no_grad()
def surface(model: nn.Module, x: Tensor, y: Tensor, steps: int) -> Tensor:
    """(steps, steps) losses along two filter-normalised random directions."""
    loader = DataLoader(TensorDataset(x, y), batch_size=BATCH, num_workers=WORKERS)
    start = [parameter.clone() for parameter in model.parameters()]
    first, second = ([_direction(weight) for weight in start] for _ in range(2))
    losses = torch.zeros(steps, steps)
    for row, alpha in enumerate(torch.linspace(-1, 1, steps)):
        for column, beta in enumerate(torch.linspace(-1, 1, steps)):
            for parameter, weight, one, two in zip(model.parameters(), start, first, second, strict=True):
                parameter.copy_(weight + alpha * one + beta * two)
            total = sum(cross_entropy(model(inputs), labels).item() * len(labels) for inputs, labels in loader)
            losses[row, column] = total / len(y)
    for parameter, weight in zip(model.parameters(), start, strict=True):
        parameter.copy_(weight)
    return losses


def _direction(weight: Tensor) -> Tensor:
    if weight.ndim < 2:
        return torch.zeros_like(weight)
    draw = torch.randn_like(weight)
    along = (-1, *[1] * (weight.ndim - 1))
    return draw * (weight.flatten(1).norm(dim=1) / draw.flatten(1).norm(dim=1)).view(along)
