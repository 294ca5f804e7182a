"""Networks of (N, 3, 32) signals: a convolution, a recurrent one, and two that take any number of axes."""

import numpy as np
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv1d(3, 4, 5, stride=2)
        self.b = nn.BatchNorm1d(4)
        self.h = nn.Linear(4 * 14, 3)

    def forward(self, x):
        return self.h(self.b(self.c(x)).relu().flatten(1))


class Gru(nn.Module):
    def __init__(self):
        super().__init__()
        self.r = nn.GRU(32, 5, batch_first=True)
        self.h = nn.Linear(5, 3)

    def forward(self, x):
        return self.h(self.r(x)[0][:, -1])


class Pool(nn.Module):
    """Mean over time, then linear: it takes another axis as well, with other outputs."""

    def __init__(self):
        super().__init__()
        self.f = nn.Linear(32, 8)
        self.h = nn.Linear(8, 3)

    def forward(self, x):
        return self.h(self.f(x).tanh().mean(-2)).squeeze(1)


class Attn(nn.Module):
    """Softmax over axis 1, whichever that is."""

    def __init__(self):
        super().__init__()
        self.s = nn.Linear(32, 1)
        self.f = nn.Linear(32, 8)
        self.h = nn.Linear(8, 3)

    def forward(self, x):
        a = self.s(x).softmax(1)
        return self.h((a * self.f(x).tanh()).flatten(1, -2).sum(1))


def data():
    """(60, 3, 32) floats and three classes."""
    draws = np.random.default_rng(0)
    x = draws.normal(size=(60, 3, 32)).astype("float32")
    return torch.tensor(x), torch.tensor(draws.integers(0, 3, 60))
