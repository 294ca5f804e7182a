"""Small networks with everything that can go wrong: convolutions, batch norm, shared weights, attention, masks."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn


@dataclass
class Case:
    """A network with data, and a mask where it has one."""

    model: nn.Module
    x: Tensor
    y: Tensor
    masks: dict[str, Tensor] = field(default_factory=dict)


class Tied(nn.Module):
    """Two layers that share one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.second = nn.Linear(4, 4, bias=False)
        self.second.weight = self.first.weight
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.second(torch.relu(self.first(x)))))


class Attentive(nn.Module):
    """Softmax attention over the four rows of an image, written out, behind a layer norm."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4)
        self.qkv = nn.Linear(4, 9)
        self.head = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norm(x.squeeze(1))).chunk(3, dim=-1)  # (N, 4, 3) each
        return self.head((torch.softmax(q @ k.transpose(1, 2), dim=-1) @ v).mean(1))


def mlp() -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(fc1=nn.Linear(5, 6), relu1=nn.ReLU(), fc2=nn.Linear(6, 4), relu2=nn.ReLU(), fc3=nn.Linear(4, 3))
    )


def convolutional() -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 3, 3, padding=1),
            relu1=nn.ReLU(),
            pool=nn.MaxPool2d(2),
            conv2=nn.Conv2d(3, 3, 2),
            relu2=nn.ReLU(),
            flatten=nn.Flatten(),
            fc=nn.Linear(3, 3),
        )
    )


def normalised() -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 3, 3, bias=False),
            bn1=nn.BatchNorm2d(3),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(3, 3, 2),
            relu2=nn.ReLU(),
            flatten=nn.Flatten(),
            fc=nn.Linear(3, 3),
        )
    )


def make(kind: str, seed: int = 0, dtype: torch.dtype = torch.float32) -> Case:
    """`mlp`, `conv`, `batchnorm`, `tied`, `attention`, or `masked` (convolutional, 60 % removed)."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = BUILDERS[kind]()
        shape = {"mlp": (5,), "tied": (4,)}.get(kind, (1, 4, 4))
        x, y = torch.randn(22, *shape), torch.randint(0, 3, (22,))
        masks = {}
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                for tensor in (module.running_mean, module.weight.data, module.bias.data):
                    tensor.add_(0.3 * torch.randn_like(tensor))
                module.running_var.uniform_(0.5, 2)
        if kind == "masked":
            masks = {n: torch.rand_like(p) > 0.6 for n, p in model.named_parameters() if p.ndim > 1}
            for name, mask in masks.items():
                model.get_parameter(name).data.mul_(mask)
    return Case(model.to(dtype), x.to(dtype), y, masks)


BUILDERS: dict[str, Callable[[], nn.Module]] = {
    "mlp": mlp,
    "conv": convolutional,
    "batchnorm": normalised,
    "tied": Tied,
    "attention": Attentive,
    "masked": convolutional,
}
KINDS = tuple(BUILDERS)
