"""Networks of operations that torch cannot differentiate twice, or that hide something from autograd."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint


class Base(nn.Module):
    def __init__(self):
        super().__init__()
        self.c, self.h = nn.Conv2d(1, 4, 3, padding=1), nn.Linear(4 * 9, 3)

    def tail(self, x):
        return self.h(F.max_pool2d(x, 2).flatten(1))


class MobileNet(Base):
    def gate(self, x):
        return F.hardsigmoid(x)

    def forward(self, x):
        x = F.hardswish(self.c(x))
        return self.tail(x * self.gate(x.mean((2, 3), keepdim=True)) + F.relu6(x))


class MobileNetWrittenOut(MobileNet):
    def gate(self, x):
        return F.relu6(x + 3) / 6


class Grid(Base):
    def forward(self, x):
        f = self.c(x)
        still = torch.eye(2, 3, device=x.device, dtype=x.dtype).expand(len(x), 2, 3)
        theta = still + 0.1 * f.mean((2, 3))[:, :2, None]
        return self.tail(F.grid_sample(f, F.affine_grid(theta, f.shape, align_corners=False), align_corners=False))


class Plain(Base):
    def forward(self, x):
        return self.tail(self.c(x).tanh())


class Reentrant(Base):
    def forward(self, x):
        return self.tail(checkpoint(lambda z: self.c(z).tanh(), x, use_reentrant=True))


class NonReentrant(Base):
    def forward(self, x):
        return self.tail(checkpoint(lambda z: self.c(z).tanh(), x, use_reentrant=False))


class Inplace(Base):
    def forward(self, x):
        y = self.c(x)
        y += 0.1
        return self.tail(F.relu_(y) * 1.5)


class Cdist(nn.Module):
    def __init__(self):
        super().__init__()
        self.p, self.s = nn.Parameter(torch.randn(3, 36)), nn.Parameter(torch.tensor(0.3))

    def forward(self, x):
        return -self.s * torch.cdist(x.flatten(1), self.p)


class _Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.x = x.detach()
        return x * x.sigmoid()

    @staticmethod
    def backward(ctx, g):
        s = ctx.x.sigmoid()
        return g * (s * (1 + ctx.x * (1 - s)))


class MemSwish(Base):
    """Its backward pass forgets that it depends on the input."""

    def forward(self, x):
        return self.tail(_Swish.apply(self.c(x)))


class Distances(Base):
    """Between all pairs of four parts of each example."""

    def __init__(self):
        super().__init__()
        self.h = nn.Linear(6, 3)

    def forward(self, x):
        parts = self.c(x).flatten(2)
        return self.h(torch.stack([self.distances(each) for each in parts]))

    def distances(self, x):
        return F.pdist(x)


class DistancesWrittenOut(Distances):
    def distances(self, x):
        i, j = torch.triu_indices(4, 4, 1)
        return (x[i] - x[j]).norm(dim=-1)


class Bag(nn.Module):
    """Tokens made of the signs of pixels."""

    def __init__(self):
        super().__init__()
        self.e, self.h = nn.EmbeddingBag(8, 5, mode="mean", sparse=True), nn.Linear(5, 3)

    def tokens(self, x):
        signs = (x.flatten(1)[:, :36].view(len(x), 12, 3) > 0).long()
        return (signs * torch.tensor([1, 2, 4])).sum(-1)

    def forward(self, x):
        return self.h(self.e(self.tokens(x)).tanh())


class BagWrittenOut(Bag):
    def forward(self, x):
        return self.h(self.e.weight[self.tokens(x)].mean(1).tanh())


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.r, self.h = nn.LSTM(6, 4, batch_first=True), nn.Linear(4, 3)

    def forward(self, x):
        return self.h(self.r(x.squeeze(1))[0][:, -1])


class Attending(nn.Module):
    def __init__(self):
        super().__init__()
        self.r = nn.TransformerEncoderLayer(6, 2, 8, dropout=0.0, batch_first=True)
        self.h = nn.Linear(6, 3)

    def forward(self, x):
        return self.h(self.r(x.squeeze(1)).mean(1))


class Normed(nn.Module):
    """Of weights by their norms, whose second derivative torch has wrong."""

    def __init__(self):
        super().__init__()
        self.c, self.h = nn.utils.parametrizations.weight_norm(nn.Conv2d(1, 4, 3)), nn.Linear(64, 3)

    def forward(self, x):
        return self.h(self.c(x).tanh().flatten(1))


class NormedWrittenOut(Normed):
    def forward(self, x):
        g, v = self.c.parametrizations.weight.original0, self.c.parametrizations.weight.original1
        weight = g * v / v.square().sum((1, 2, 3), keepdim=True).sqrt()
        return self.h(F.conv2d(x, weight, self.c.bias).tanh().flatten(1))


class Detached(Base):
    def forward(self, x):
        y = self.c(x)
        return self.tail(y * y.detach().sigmoid())


class StraightThrough(Base):
    def forward(self, x):
        y = self.c(x).tanh()
        return self.tail(y + (y.round() - y).detach())


class Frozen(Base):
    """Of which a part is out of autograd's sight."""

    def forward(self, x):
        with torch.no_grad():
            y = self.c(x)
        return self.tail(y.tanh())


class Merged(nn.Module):
    """A low-rank adapter that is merged into its layer when the network goes into eval mode."""

    def __init__(self):
        super().__init__()
        self.w, self.a, self.b = (nn.Parameter(0.3 * torch.randn(*size)) for size in ((3, 36), (2, 36), (3, 2)))
        self.merged = None

    def train(self, mode=True):
        super().train(mode)
        self.merged = None if mode else (self.w + self.b @ self.a).detach()
        return self

    def forward(self, x):
        weight = self.w + self.b @ self.a if self.merged is None else self.merged
        return x.flatten(1) @ weight.T.to(x.dtype)


class Once(Base):
    """Whose backward pass says that it cannot be differentiated."""

    def forward(self, x):
        return self.tail(_Once.apply(self.c(x)))


class _Once(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):
        return g * ctx.saved_tensors[0].cos()


class Unused(Base):
    """With a layer that no output depends on."""

    def __init__(self):
        super().__init__()
        self.auxiliary = nn.Linear(9, 2)

    def forward(self, x):
        return self.tail(self.c(x).tanh())


def data():
    """60 examples and their labels."""
    draws = torch.Generator().manual_seed(0)
    return torch.randn(60, 1, 6, 6, generator=draws), torch.randint(0, 3, (60,), generator=draws)


class TwoHeads(Unused):
    """With a layer that only an output depends on that is not measured."""

    def forward(self, x):
        logits = super().forward(x)
        return logits if self.training else {"logits": logits, "auxiliary": self.auxiliary(x.flatten(1)[:, :9])}
