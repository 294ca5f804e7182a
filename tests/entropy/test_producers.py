"""Which weight stands for a site: through norms, views and sums, never through an activation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from oracles.psp_networks import NETWORKS, data
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from minima.zoo.anatomy.producers import producers
from minima.zoo.architecture.blocks.residual import ResidualNetwork

X = torch.randn(1, 5)


class Net(nn.Module):
    """fc1, something, fc2, with a second layer beside the first."""

    def __init__(self, middle: Callable[[Net, Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.fc1, self.side, self.fc2 = nn.Linear(5, 6), nn.Linear(5, 6), nn.Linear(6, 3)
        self.scale = nn.Parameter(torch.ones(6))
        self.middle = middle

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.middle(self, self.fc1(x), x)[:, :6])


@pytest.mark.parametrize(
    ("middle", "weight"),
    [
        (lambda _, z, __: z.relu(), "fc1.weight"),
        (lambda _, z, __: z.view(len(z), 2, 3).flatten(1).relu(), "fc1.weight"),
        (lambda net, z, _: F.relu(z * net.scale + 1), "fc1.weight"),
        (lambda _, z, __: F.layer_norm(z, (6,)).relu_(), "fc1.weight"),
        (lambda _, z, __: F.relu(z, inplace=True), "fc1.weight"),
        (lambda _, z, __: (z * z.softmax(1)).relu(), "fc1.weight"),
        (lambda net, z, x: (z + net.side(x)).relu(), None),  # a sum of equals
        (lambda net, z, x: torch.cat([z, net.side(x)], 1).relu(), None),
        (lambda net, _, x: F.linear(x, net.side.weight * 2).relu(), "side.weight"),
        (lambda net, _, x: (x @ net.side.weight.t()).relu(), "side.weight"),
        (lambda _, __, x: F.pad(x, (0, 1)).relu(), None),
    ],
)
def test_weight_of_one_site(middle: Callable[[Net, Tensor, Tensor], Tensor], weight: str | None) -> None:
    (found, *_), *others = producers(Net(middle).eval(), X).values(), None
    assert found == weight
    assert others == [None]


@pytest.mark.parametrize(
    "layer",
    [
        parametrizations.weight_norm(nn.Linear(4, 4)),
        nn.GRU(4, 4),
        nn.Bilinear(4, 4, 4),
        nn.ParameterList([torch.ones(4, 4)]),
    ],
)
def test_a_weight_that_is_no_layers_own_hides_those_before(layer: nn.Module) -> None:
    """What they say of the layer before is nothing of the activation behind."""

    class Hiding(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.layer, self.last = nn.Linear(5, 4), layer, nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            z = self.first(x)
            if isinstance(self.layer, nn.ParameterList):
                z = z @ self.layer[0]
            elif isinstance(self.layer, nn.Bilinear):
                z = self.layer(z, z)
            else:
                z = self.layer(z)
            z = z[0] if isinstance(z, tuple) else z
            return self.last(z.relu())

    (found, *_) = producers(Hiding().eval(), X).values()
    assert found is None


def test_no_weight_is_seen_through_an_activation() -> None:
    model = nn.Sequential(nn.ReLU(), nn.Linear(5, 4), nn.ReLU(), nn.Tanh(), nn.Linear(4, 2))
    assert producers(model, X) == {"input": None, "1": "1.weight", "2": None, "4": "4.weight"}


def test_gate_of_another_layer_does_not_count() -> None:
    """Squeeze and excitation: the gate is an activation's output."""
    model = Net(lambda net, z, x: (z * net.side(x).sigmoid()).relu())
    assert producers(model, X) == {"side": "side.weight", "mul": "fc1.weight", "fc2": "fc2.weight"}


def test_residual_blocks_with_and_without_a_convolution_in_the_shortcut() -> None:
    found = producers(NETWORKS["resnet"]().eval(), data()[0][:1])
    assert found == {
        "bn1": "conv1.weight",
        "layer1.0.bn1": "layer1.0.conv1.weight",
        "layer1.0.add": "layer1.0.conv2.weight",
        "layer1.1.bn1": "layer1.1.conv1.weight",
        "layer1.1.add": "layer1.1.conv2.weight",
        "fc": "fc.weight",
    }


def test_shortcut_that_is_computed_and_added_first() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.short, self.a, self.b, self.head = (nn.Linear(5, 5) for _ in range(4))

        def forward(self, x: Tensor) -> Tensor:
            return self.head(torch.relu(self.short(x) + self.b(torch.relu(self.a(x)))))

    assert producers(Block(), X) == {"a": "a.weight", "add": "b.weight", "head": "head.weight"}


def test_every_rectifier_of_the_zoos_resnet_has_its_convolution() -> None:
    found = producers(ResidualNetwork(1, 10, width=2, blocks=1).eval(), data()[0][:1])
    expected = ["conv1.weight"]
    for stage in (1, 2, 3):
        expected += [f"layer{stage}.0.conv1.weight", f"layer{stage}.0.conv2.weight"]
    assert list(found.values()) == [*expected, "linear.weight"]


def test_transformer_layer() -> None:
    layer = nn.TransformerEncoderLayer(4, 2, 8, activation="gelu", batch_first=True)
    model = nn.Sequential(nn.Linear(5, 4), nn.Unflatten(1, (1, 4)), layer, nn.Flatten(), nn.Linear(4, 2)).eval()
    assert producers(model, X) == {"2.linear1": "2.linear1.weight", "4": "4.weight"}


def test_layer_used_twice_and_weights_that_are_computed() -> None:
    found = producers(NETWORKS["shared"]().eval(), data()[0][:1])
    assert found == {"embed": "embed.weight", "fc": "fc.weight", "fc#2": "fc.weight", "head": "head.weight"}
    normed = nn.Sequential(parametrizations.weight_norm(nn.Linear(5, 3)), nn.ReLU(), nn.Linear(3, 2))
    assert producers(normed, X) == {"0": None, "2": "2.weight"}
