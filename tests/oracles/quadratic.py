"""A 'network' whose loss is a quadratic of its weights, for closed forms."""

import torch
from torch import nn

from landscape.objective.objective import Objective


class Quadratic(nn.Module):
    """offset + slope.w + w.A w / 2, the same for every example; w = 0 unless given. A one-row weight, float64."""

    def __init__(self, matrix, offset=0.0, at=None, slope=None):
        super().__init__()
        matrix = torch.as_tensor(matrix, dtype=torch.float64)
        self.weight = nn.Parameter(
            torch.zeros(1, len(matrix), dtype=torch.float64)
            if at is None
            else torch.as_tensor(at, dtype=torch.float64)[None].clone()
        )
        self.register_buffer("matrix", matrix)
        self.register_buffer(
            "slope", torch.zeros(len(matrix)).double() if slope is None else torch.as_tensor(slope).double()
        )
        self.offset = offset

    def forward(self, x):
        w = self.weight[0]
        return (self.offset + self.slope @ w + w @ self.matrix @ w / 2).expand(len(x))


def quadratic(matrix, offset=0.0, at=None, masks=None, subspace="survivors", slope=None):
    """The objective of a `Quadratic`, over four examples."""
    model = Quadratic(matrix, offset, at, slope)
    return Objective(model, torch.zeros(4, 1), torch.zeros(4), loss=lambda out, _: out, masks=masks, subspace=subspace)
