"""Units that can be removed: what is found of them, what they cost, what holds them."""

import numpy as np
import pytest
import torch
from torch import nn

from minima.zoo.anatomy.narrowing.narrow import narrow
from minima.zoo.anatomy.removable import removable
from minima.zoo.architecture.architecture import architectures, parse_architecture

WIDTHS = {"mobilenet": "width=4,blocks=1", "vgg16": "width=4", "vit": "dim=16,depth=1", "lenet5": "units=20"}
WIDTHS |= dict.fromkeys(("resnet20", "resnet32", "resnet56", "stable-resnet20"), "width=4")


def built(name):
    torch.manual_seed(0)
    spec = f"{name}:{WIDTHS[name]}" if name in WIDTHS else name
    return parse_architecture(spec).build((1, 8, 8), 10).eval()


def names(found):
    return {group.name: (group.kind, group.size) for group in found.groups}


def test_lenet5():
    found = removable(built("lenet5"), torch.zeros(1, 1, 8, 8))
    assert names(found) == {"conv1": ("channel", 20), "conv2": ("channel", 50), "fc1": ("neuron", 20)}
    assert found.held == {"fc2": "the network's output"}
    conv2 = found.group("conv2")
    assert list(conv2.made) == [("conv2.weight", 0), ("conv2.bias", 0)]
    assert conv2.read["fc1.weight", 1][3].tolist() == [12, 13, 14, 15]  # 2x2 positions of channel 3


def test_channels_on_a_shortcut_are_one():
    found = removable(built("resnet20"), torch.zeros(1, 1, 8, 8))
    assert {name for name, _ in found.group("conv1").made} >= {"layer1.0.conv2.weight", "layer3.2.conv2.weight"}
    assert found.group("conv1").made["layer2.0.conv2.weight", 0][:, 0].tolist() == [2, 3, 4, 5]  # the middle of 8
    assert found.group("layer2.0.conv2").size == 4  # those that the shortcut pads


def test_heads_hidden_units_and_the_width_between_blocks():
    found = removable(built("vit"), torch.zeros(1, 1, 8, 8))
    assert names(found) == {"blocks.0.attention": ("head", 4), "blocks.0.fc1": ("neuron", 64)}
    rows = found.group("blocks.0.attention").made["blocks.0.attention.qkv.weight", 0]
    assert rows[1].tolist() == [*range(4, 8), *range(20, 24), *range(36, 40)]  # of query, key and value
    assert found.held["blocks.0.fc2"] == "normalised together by layer_norm in blocks.0.norm1"


def test_a_convolution_in_groups_loses_equally_many_of_each():
    model = nn.Sequential(
        nn.Conv2d(1, 6, 1), nn.ReLU(), nn.Conv2d(6, 4, 3, padding=1, groups=2), nn.Flatten(), nn.Linear(64, 2)
    )
    found = removable(model, torch.zeros(1, 1, 4, 4))
    assert found.group("0").made["0.weight", 0].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert found.group("0").read["2.weight", 1].tolist() == [[0], [1], [2]]
    assert found.group("2").made["2.weight", 0].tolist() == [[0, 2], [1, 3]]


def test_a_gate_of_one_channel_holds_no_other():
    class Gated(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.gate, self.fc = nn.Conv2d(1, 4, 1), nn.Conv2d(1, 1, 1), nn.Linear(4, 2)

        def forward(self, x):
            return self.fc((self.conv(x) * torch.sigmoid(self.gate(x))).mean((2, 3)))

    found = removable(Gated(), torch.zeros(1, 1, 4, 4))
    assert names(found) == {"conv": ("channel", 4)}
    assert found.held["gate"] == "mul in the network"


class Norms(nn.Module):
    """Normalised over all units, over those of each head, by a root mean square."""

    def __init__(self, kind):
        super().__init__()
        self.kind, self.heads, self.norm = kind, 2, nn.LayerNorm(4 if kind == "of heads" else 8)
        self.first, self.second = nn.Linear(3, 8), nn.Linear(8, 2)

    def forward(self, x):
        out = self.first(x)
        if self.kind == "of all":
            out = self.norm(out)
        elif self.kind == "of heads":
            out = self.norm(out.unflatten(1, (self.heads, 4))).flatten(1)
        else:
            out = out * torch.rsqrt(out.square().mean(1, keepdim=True) + 1e-6)
        return self.second(out)


@pytest.mark.parametrize(("kind", "sizes"), [("of all", {}), ("of heads", {"first": 2}), ("root", {})])
def test_what_is_normalised_together_goes_together(kind, sizes):
    found = removable(Norms(kind), torch.zeros(1, 3))
    assert {group.name: group.size for group in found.groups} == sizes


@pytest.mark.parametrize("name", sorted(architectures()))
def test_costs_against_the_narrow_network(name):
    """Parameters and bytes of any choice of units are those of the network with just these."""
    model, x = built(name), torch.zeros(1, 1, 8, 8)
    found, draws = removable(model, x), np.random.default_rng(0)
    kept = {group.name: draws.random(group.size) < 0.6 for group in found.groups}
    for units in kept.values():
        units[0] = True
    narrow(model, found.manifest(kept))
    assert model(torch.randn(2, 1, 8, 8)).shape == (2, 10)
    cost, again = found.cost(kept), removable(model, x).cost()
    assert cost.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert cost == again


def test_multiply_adds_by_hand():
    model = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 4, 3, groups=2), nn.Flatten(), nn.Linear(16, 5)
    )
    found = removable(model, torch.zeros(1, 2, 4, 4))
    assert found.cost().multiply_adds == 16 * 6 * 2 * 9 + 4 * 4 * 3 * 9 + 16 * 5
    some = found.cost({"0": np.array([True, False, True]), "2": 1})
    assert some.multiply_adds == 16 * 4 * 2 * 9 + 4 * 2 * 2 * 9 + 8 * 5


def test_a_head_s_products_count():
    found = removable(built("vit"), torch.zeros(1, 1, 8, 8))  # 4 tokens, 4 heads of width 4
    whole, three = found.cost(), found.cost({"blocks.0.attention": 3})
    products = 2 * 4 * 4 * 4  # scores and weighted sums
    assert whole.multiply_adds - three.multiply_adds == products + 4 * (12 * 16 + 4 * 16)


def test_halves_that_must_be_alike_are_held():
    class Halves(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.low, self.high = nn.Linear(3, 8), nn.Linear(4, 2), nn.Linear(4, 2)

        def forward(self, x):
            low, high = self.first(x).chunk(2, dim=1)
            return self.low(torch.relu(low)) + self.high(torch.tanh(high))

    found = removable(Halves(), torch.zeros(1, 3))
    assert found.groups == []
    assert [group.size for group, _ in found.stuck] == [4, 4]
    assert "chunk" in found.held["first"]
