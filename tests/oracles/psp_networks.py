"""Small networks that also write out every potential they have in their own words: (name, tensor) in forward order."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Potentials = list[tuple[str, Tensor]]

RELUS: dict[str, Callable[[Tensor], Tensor]] = {
    "function": F.relu,
    "torch": torch.relu,
    "method": lambda z: z.relu(),
    "in place": lambda z: F.relu(z, inplace=True),
    "in-place method": lambda z: z.relu_(),
    "clamp": lambda z: z.clamp(min=0),
    "module": nn.ReLU(),
    "in-place module": nn.ReLU(inplace=True),
    "made on the fly": lambda z: nn.ReLU()(z),  # noqa: PLW0108
}


class ConvNet(nn.Module):
    """conv, pool, fc with one activation used everywhere."""

    def __init__(self, relu: str = "module") -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 3, 3)
        self.fc1 = nn.Linear(3 * 3 * 3, 5)
        self.dropout = nn.Dropout(0.5)
        self.fc2 = nn.Linear(5, 4)
        self.relu = RELUS[relu]

    def forward(self, x: Tensor) -> Tensor:
        h = F.max_pool2d(self.relu(self.conv1(x)), 2).flatten(1)
        return self.fc2(self.dropout(self.relu(self.fc1(h))))

    def potentials(self, x: Tensor) -> Potentials:
        z1 = F.conv2d(x, self.conv1.weight, self.conv1.bias)
        h = F.max_pool2d(z1.clone().clamp(min=0), 2).reshape(len(x), -1)
        z2 = h @ self.fc1.weight.T + self.fc1.bias
        z3 = z2.clone().clamp(min=0) @ self.fc2.weight.T + self.fc2.bias
        return [("conv1", z1), ("fc1", z2), ("fc2", z3)]


def normalise(bn: nn.BatchNorm2d, z: Tensor) -> Tensor:
    """Batch norm in eval mode."""
    assert bn.running_mean is not None
    assert bn.running_var is not None
    mean, variance = bn.running_mean[:, None, None], bn.running_var[:, None, None]
    return (z - mean) / (variance + bn.eps).sqrt() * bn.weight[:, None, None] + bn.bias[:, None, None]


class Block(nn.Module):
    """The basic block of a ResNet, its shortcut a convolution with batch norm where the width changes."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, out, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = nn.Sequential(nn.Conv2d(width, out, 1), nn.BatchNorm2d(out)) if out != width else None

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)

    def potentials(self, x: Tensor) -> Potentials:
        z1 = normalise(self.bn1, self.conv1(x))
        z2 = normalise(self.bn2, self.conv2(z1.clamp(min=0)))
        if self.downsample is not None:
            convolution, bn = self.downsample
            assert isinstance(bn, nn.BatchNorm2d)
            x = normalise(bn, convolution(x))
        return [("bn1", z1), ("add", z2 + x)]


class ResNet(nn.Module):
    """A stem and two blocks: batch norm, nesting, sums, in-place activations."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 3, 3)
        self.bn1 = nn.BatchNorm2d(3)
        self.layer1 = nn.Sequential(Block(3, 3), Block(3, 4))
        self.fc = nn.Linear(4, 4)
        for bn in (module for module in self.modules() if isinstance(module, nn.BatchNorm2d)):
            for tensor in (bn.running_mean, bn.weight.data, bn.bias.data):
                assert tensor is not None
                tensor.normal_()

    def forward(self, x: Tensor) -> Tensor:
        h = self.layer1(self.bn1(self.conv1(x)).relu_())
        return self.fc(F.adaptive_avg_pool2d(h, 1).flatten(1))

    def potentials(self, x: Tensor) -> Potentials:
        found = [("bn1", normalise(self.bn1, self.conv1(x)))]
        for index, block in enumerate(self.layer1):
            assert isinstance(block, Block)
            inner = block.potentials(found[-1][1].clamp(min=0))
            found += [(f"layer1.{index}.{name}", z) for name, z in inner]
        return [*found, ("fc", self.fc(found[-1][1].clamp(min=0).mean((2, 3))))]


class Shared(nn.Module):
    """One layer used twice, different activations, a squashed output."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(64, 6)
        self.fc = nn.Linear(6, 6)
        self.head = nn.Linear(6, 4)
        self.gate = nn.Parameter(torch.randn(6))

    def forward(self, x: Tensor) -> Tensor:
        h = torch.tanh(self.embed(x.view(len(x), -1)))
        h = F.gelu(self.fc(h)) * torch.sigmoid(self.gate)
        h = F.silu(self.fc(h))
        return F.log_softmax(self.head(h), dim=1)

    def potentials(self, x: Tensor) -> Potentials:
        z1 = self.embed(x.flatten(1))
        z2 = self.fc(z1.tanh())
        z3 = self.fc(F.gelu(z2) * self.gate.sigmoid())
        return [("embed", z1), ("fc", z2), ("fc#2", z3), ("head", self.head(F.silu(z3)))]


NETWORKS: dict[str, Callable[[], nn.Module]] = {"convnet": ConvNet, "resnet": ResNet, "shared": Shared}


def data(examples: int = 23, classes: int = 4, side: int = 8, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Random images (N, 1, side, side) and labels (N,), every class present."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(examples, 1, side, side, generator=generator)
    return x, torch.arange(examples)[torch.randperm(examples, generator=generator)] % classes
