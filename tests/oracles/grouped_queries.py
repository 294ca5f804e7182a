"""Attention with grouped queries, written in the ways that people write it."""

import torch
from torch import nn
from torch.nn import functional


class Grouped(nn.Module):
    """Attention over inputs (N, T, width), with fewer keys than queries; `way`: how a key meets its queries."""

    def __init__(self, way="sdpa", queries=6, keys=3, width=2, bias=True):
        super().__init__()
        torch.manual_seed(0)
        self.way, self.times, self.head_dim = way, queries // keys, width
        self.q = nn.Linear(5, queries * width, bias=bias)
        self.k, self.v = (nn.Linear(5, keys * width, bias=bias) for _ in range(2))
        self.o, self.head = nn.Linear(queries * width, 4, bias=bias), nn.Linear(4, 3)

    def forward(self, x):
        q, k, v = (f(x).unflatten(-1, (-1, self.head_dim)).transpose(1, 2) for f in (self.q, self.k, self.v))
        mixed = getattr(self, self.way)(q, k, v)
        return self.head(torch.relu(self.o(mixed.transpose(1, 2).flatten(2))))

    @staticmethod
    def sdpa(q, k, v):
        return functional.scaled_dot_product_attention(q, k, v, enable_gqa=True)

    @staticmethod
    def broadcast(q, k, v):
        return _attend(q, k, v)

    def interleaved(self, q, k, v):
        k, v = (each.repeat_interleave(self.times, 1) for each in (k, v))
        return _attend(q, k, v)

    def tiled(self, q, k, v):
        """Query head h looks at key h % keys, not at h // times."""
        k, v = (each.repeat(1, self.times, 1, 1) for each in (k, v))
        return functional.scaled_dot_product_attention(q, k, v)

    def expanded(self, q, k, v):
        """As transformers has it: nothing is repeated where there is one query for each key."""
        return _attend(q, *(_repeated(each, self.times) for each in (k, v)))

    def folded(self, q, k, v):
        """(N, keys, times, T, width), the keys broadcast."""
        q = q.unflatten(1, (k.shape[1], -1))
        return _attend(q, k.unsqueeze(2), v.unsqueeze(2)).flatten(1, 2)

    @staticmethod
    def literal(q, k, v):
        """How many queries share a key stands in the code."""
        return _attend(q, k.repeat_interleave(2, 1), v.repeat_interleave(2, 1))

    @staticmethod
    def uneven(q, k, v):
        """One query looks at the first key, two at the second, three at the third."""
        k, v = (each[:, torch.tensor([0, 1, 1, 2, 2, 2])] for each in (k, v))
        return _attend(q, k, v)


def _attend(q, k, v):
    return torch.softmax(q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5, -1) @ v


def _repeated(tensor, times):
    if times == 1:
        return tensor
    examples, keys, length, width = tensor.shape
    tensor = tensor[:, :, None].expand(examples, keys, times, length, width)
    return tensor.reshape(examples, keys * times, length, width)
