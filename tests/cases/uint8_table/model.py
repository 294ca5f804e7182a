"""A network of 8 counts from 0 to 49 in each row, stored in 8 bits."""

import numpy as np
import torch
from torch import nn


class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(8, 10), nn.Tanh(), nn.Linear(10, 3))


def data():
    """(90, 8) counts as floats, and the largest of the first three."""
    x = np.random.default_rng(0).integers(0, 50, (90, 8)).astype("uint8")
    return torch.tensor(x).float(), torch.tensor(x[:, :3].argmax(1))
