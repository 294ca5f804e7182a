"""The dense Hessian of a network's loss in float64, row by row by plain autograd; nothing of this project is used."""

from dataclasses import dataclass

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import cross_entropy


@dataclass(frozen=True)
class Truth:
    """A loss, and the eigenvalues of its Hessian in descending order."""

    loss: float
    eigenvalues: torch.Tensor


def dense(model, x, y, loss=cross_entropy):
    """Over the trainable parameters, each tensor once, in eval mode; the model is put into float64."""
    model = model.double().eval()
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    with sdpa_kernel(SDPBackend.MATH):
        value = loss(model(x.double() if x.is_floating_point() else x), y)
        slopes = torch.autograd.grad(value, parameters, create_graph=True, materialize_grads=True)
        gradient = torch.cat([slope.flatten() for slope in slopes])
        rows = [_row(each, parameters) for each in gradient]
    matrix = torch.stack(rows)
    return Truth(value.item(), torch.linalg.eigvalsh((matrix + matrix.T) / 2).flip(0))


def _row(slope, parameters):
    if not slope.requires_grad:
        return torch.cat([torch.zeros_like(parameter).flatten() for parameter in parameters])
    row = torch.autograd.grad(slope, parameters, retain_graph=True, materialize_grads=True)
    return torch.cat([each.flatten() for each in row])


def fit(model, x, y, loss=cross_entropy, steps=60, rate=0.02):
    """A few steps of Adam: a network that is not as it was initialised, in eval mode."""
    model.train()
    optimiser = torch.optim.Adam(model.parameters(), lr=rate)
    for _ in range(steps):
        optimiser.zero_grad()
        loss(model(x), y).backward()
        optimiser.step()
    return model.eval()
