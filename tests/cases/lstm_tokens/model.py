"""An LSTM on sequences of integer tokens, each class a residue of their sum."""

import numpy as np
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Embedding(12, 5, padding_idx=0)
        self.r = nn.LSTM(5, 6, batch_first=True)
        self.h = nn.Linear(6, 3)

    def forward(self, x):
        return self.h(self.r(self.e(x.long()))[0][:, -1])


def data():
    """(80, 7) int64 tokens and their classes."""
    x = np.random.default_rng(0).integers(0, 12, (80, 7))
    return torch.tensor(x), torch.tensor(x.sum(1) % 3)
