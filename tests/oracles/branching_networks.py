"""Random small networks whose path depends on the data, on how often a module is called, or on how memory is laid out.

All are functions of each example alone: in which chunk it comes must not matter.
"""

from __future__ import annotations

import random

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS, SIZE, CLASSES = 4, 6, 3


class Branching(nn.Module):
    """Convolutions and norms, some of them shared, of which each example uses some, in an order of its own."""

    def __init__(self, kind: str, seed: int) -> None:
        super().__init__()
        self.kind, draw = kind, random.Random(seed)
        torch.manual_seed(seed)
        self.first = nn.Conv2d(1, CHANNELS, 3, padding=1, bias=draw.random() < 0.5)
        self.convs = nn.ModuleList(nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, bias=False) for _ in range(3))
        self.norms = nn.ModuleList(nn.BatchNorm2d(CHANNELS, affine=draw.random() < 0.7) for _ in range(4))
        if draw.random() < 0.5:
            self.convs[2].weight = self.convs[0].weight
        self.head = nn.Linear(CHANNELS * SIZE**2 if kind == "viewed" else CHANNELS, CLASSES)
        self.order = draw.sample(range(3), 3)
        self.calm = draw.random() < 0.5
        for norm in self.norms:
            nn.init.normal_(norm.running_mean, 0, 0.3)
            nn.init.uniform_(norm.running_var, 0.5, 2)
        self.eval()

    def act(self, x: Tensor) -> Tensor:
        return functional.softplus(x) if self.calm else functional.relu(x)

    def forward(self, x: Tensor) -> Tensor:
        h = getattr(self, self.kind)(x)
        return self.head(h if h.ndim == 2 else h.mean((2, 3)))

    def domains(self, x: Tensor) -> Tensor:
        """A stem and a norm for each sign of an example's sum."""
        domain, made = (x.sum((1, 2, 3)) > 0).long(), x.new_zeros(len(x), CHANNELS, SIZE, SIZE)
        h = self.first(x)
        for k in range(2):
            chosen = domain == k
            if chosen.any():
                made = made.index_put((chosen,), self.act(self.norms[k](self.convs[k](h[chosen]))))
        return made

    def swapped(self, x: Tensor) -> Tensor:
        """One convolution, whose norm is another for each sign of an example's sum."""
        h, domain = self.first(x), x.sum((1, 2, 3)) > 0
        parts = {k: self.norms[k](self.convs[0](h[domain == bool(k)])) for k in (1, 0) if (domain == bool(k)).any()}
        made = h.new_zeros(len(x), CHANNELS, SIZE, SIZE)
        for k, part in parts.items():
            made = made.index_put((domain == bool(k),), part)
        return self.act(made)

    def one_by_one(self, x: Tensor) -> Tensor:
        """Each example by itself: how many convolutions there are depends on the chunk, and their order on the data."""
        made = []
        for each in x:
            h = self.first(each[None])
            for k in self.order[: 1 + int(each.sum() > 0) + int(each[0, 0, 0] > 0)]:
                h = self.act(self.norms[k](self.convs[k](h)))
            made.append(h)
        return torch.cat(made)

    def by_company(self, x: Tensor) -> Tensor:
        """The same numbers by two ways: which depends on the sum over the chunk."""
        h = self.first(x)
        if x.sum() > 0:
            return self.act(self.norms[1](self.convs[0](h)) + self.convs[1](h))
        one, other = self.convs[1](h), self.convs[0](h)
        return self.act(one + self.norms[1](other))

    def twice(self, x: Tensor) -> Tensor:
        """A shared convolution whose results meet different norms, and are used elsewhere too where an example is."""
        h = self.act(self.norms[0](self.convs[0](self.first(x))))
        made = self.convs[0](h)
        out = self.norms[1](made)
        if (x[:, 0, 0, 0] > 1).any():
            out = out + made * (x[:, :1, :1, :1] > 1)
        return self.act(out)

    def repeated(self, x: Tensor) -> Tensor:
        """A block that is called as often as the neediest example of the chunk asks; others keep what they have."""
        h, times = self.first(x), (x.mean((1, 2, 3)).abs() * 20).long().clamp(max=3)
        for k in range(int(times.max())):
            again = self.act(self.norms[k](self.convs[self.order[k]](h)))
            h = torch.where((times > k)[:, None, None, None], again, h)
        return h

    def viewed(self, x: Tensor) -> Tensor:
        """Flattened by view, and written to in place where an example is."""
        h = self.act(self.norms[0](self.convs[0](self.first(x)))) + 1
        flat = h.view(len(x), -1)
        if x[:, 0, 0, 0].max() > 1.5:
            h = h.mul(2.0)
            flat = h.view(len(x), -1)
            h.mul_(0.5)
        return flat


KINDS = ("domains", "swapped", "one_by_one", "by_company", "twice", "repeated", "viewed")


def examples(count: int, seed: int, in_order: bool) -> tuple[Tensor, Tensor]:
    """Inputs and labels; in order of their sums, or not."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 1, SIZE, SIZE, generator=generator)
    x += 0.3 * torch.randn(count, 1, 1, 1, generator=generator)
    if in_order:
        x = x[x.sum((1, 2, 3)).argsort()]
    return x, torch.randint(0, CLASSES, (count,), generator=generator)
