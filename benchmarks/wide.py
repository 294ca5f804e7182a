"""Networks of one shape from 100 thousand to 100 million weights, and a few examples: for `benchmarks.weights`."""

from __future__ import annotations

import math
from functools import partial

import torch
from torch import Tensor, nn

INPUTS, CLASSES, EXAMPLES = 64, 10, 4


def network(weights: int) -> nn.Sequential:
    """Two hidden layers of the same width, with about so many weights, as torch initialises them from seed 0."""
    both = INPUTS + CLASSES + 2
    width = round((math.sqrt(both**2 + 4 * weights) - both) / 2)
    torch.manual_seed(0)
    layers = nn.Linear(INPUTS, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, CLASSES)
    return nn.Sequential(*layers)


make5, make6, make7, make8 = (partial(network, 10**power) for power in (5, 6, 7, 8))


def examples() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Inputs between 0 and 1, as images are, with labels at random; the same for both splits."""
    drawn = torch.Generator().manual_seed(1)
    x, y = torch.rand(EXAMPLES, INPUTS, generator=drawn), torch.randint(0, CLASSES, (EXAMPLES,), generator=drawn)
    return x, y, x, y
