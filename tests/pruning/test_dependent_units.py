"""Units that are always on and linear combinations of others: merged without loss (Serra et al. 2020)."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from minima.zoo.anatomy.narrowing.narrow import apply_shrunk
from pruning import shrink_network

X = torch.rand(64, 3, generator=torch.Generator().manual_seed(0))


def network(weights, biases, outputs=2):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, len(biases)), nn.ReLU(), nn.Linear(len(biases), outputs))
    with torch.no_grad():
        net[0].weight.copy_(torch.as_tensor(weights))
        net[0].bias.copy_(torch.as_tensor(biases))
    return net


def test_by_hand():
    """w_b = 2 w_a, both on: h_b = 2 h_a + (b_b - 2 b_a); h_c is on only sometimes, and stays."""
    net = network([[1.0, 1, 1], [2.0, 2, 2], [2.0, 2, 2]], [1.0, 5.0, -2.0])
    small = shrink_network(net, X, by_data=True)
    assert (small.dependent, small.units) == ({"0": 1}, {"0": (3, 2)})
    weight, bias = net[2].weight, net[2].bias
    # the longer row b stays: h_a = h_b / 2 + (1 - 5 / 2)
    assert small.model[0].weight.tolist() == [[2.0] * 3, [2.0] * 3]
    assert torch.allclose(small.model[2].weight[:, 0], weight[:, 1] + weight[:, 0] / 2)
    assert torch.allclose(small.model[2].bias, bias - 1.5 * weight[:, 0])
    assert torch.allclose(small.model(X), net(X), atol=1e-6)
    assert small.guessed["examples"] <= 1e-10


@settings(max_examples=15, deadline=None, derandomize=True)
@given(on=st.integers(1, 9), others=st.integers(0, 4), rank=st.integers(1, 3), seed=st.integers(0, 99))
def test_as_many_go_as_rows_depend_on_others(on, others, rank, seed):
    draws = torch.Generator().manual_seed(seed)
    rows = torch.randn(on, rank, generator=draws).double() @ torch.randn(rank, 3, generator=draws).double()
    weights = torch.cat([rows, torch.randn(others, 3, generator=draws).double()])
    net = network(weights, torch.cat([torch.full((on,), 40.0), torch.zeros(others)])).double()
    with torch.no_grad():
        net[0].weight.copy_(weights)
        crossing = ((net[0](X.double()) > 0).any(0) & (net[0](X.double()) < 0).any(0))[on:]
        net[0].weight[on:][~crossing] = torch.tensor([1.0, -1, 0]).double()
        net[0].bias[on:][~crossing] = 0.0
    small = shrink_network(net, X.double(), by_data=True, merge="none")
    assert sum(small.dependent.values()) == on - torch.linalg.matrix_rank(rows).item()
    assert small.idle == (("1",) if not others else ())
    assert torch.allclose(small.model(X.double()), net(X.double()), atol=1e-10)


def test_for_all_inputs_within_a_box_and_for_no_others():
    net = network([[1.0, 1, 1], [2.0, 1, 0], [3.0, 2, 1], [1.0, -1, 0]], [1.0, 1.0, 1.0, 0.0])
    box = torch.zeros(1, 3), torch.ones(1, 3)
    small = shrink_network(net, X, within=box)
    assert small.dependent == {"0": 1}
    inside, outside = torch.rand(1000, 3), 9 * torch.randn(1000, 3)
    with torch.no_grad():
        assert torch.allclose(small.model(inside), net(inside), atol=1e-5)
        assert not torch.allclose(small.model(outside), net(outside), atol=1e-2)
    net[0].bias.data[:3] = -0.5  # on for these examples, but not in all of the box
    few = X[(X.sum(1) > 1.2) & (2 * X[:, 0] + X[:, 1] > 0.7)]
    assert shrink_network(net, few, by_data=True).dependent == {"0": 1}
    assert shrink_network(net, few, within=box).dependent == {}


def convolutions(between=(), padding=0, bias=True):
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 1), *between, nn.Conv2d(4, 3, 3, padding=padding, bias=bias), nn.Flatten(1), nn.LazyLinear(2)
    )
    net(torch.zeros(1, 1, 6, 6))
    net[0].weight.data.copy_(torch.tensor([1.0, 2, 3, -1]).view(4, 1, 1, 1))
    net[0].bias.data.copy_(torch.tensor([1.0, 0.5, 2, 0.3]))
    return net.eval()


IMAGES = torch.rand(16, 1, 6, 6, generator=torch.Generator().manual_seed(0))


def normed():
    norm = nn.BatchNorm2d(4)
    norm.running_mean.copy_(torch.tensor([0.1, -0.2, 0.3, 0.5]))
    norm.running_var.copy_(torch.tensor([1.0, 2, 0.5, 1]))
    norm.weight.data.copy_(torch.tensor([1.0, 0.3, -2, 1]))
    norm.bias.data.copy_(torch.tensor([0.0, 0.5, 30, 0.8]))
    return norm


@pytest.mark.parametrize(
    ("between", "padding", "bias", "gone"),
    [
        ((nn.ReLU(),), 0, True, 2),  # three multiples of one row
        ((normed(), nn.ReLU()), 0, True, 2),
        ((nn.ReLU(), nn.AvgPool2d(2, 1)), 0, True, 1),  # their constants count, too: rows of two entries
        ((nn.ReLU(), nn.AdaptiveAvgPool2d(4)), 0, True, 2),
        ((nn.ReLU(),), 1, True, 1),
        ((nn.ReLU(),), 0, False, 1),
        ((nn.ReLU(), nn.MaxPool2d(2)), 0, True, 0),  # the largest of a sum is no sum of largest
        ((nn.Sigmoid(),), 0, True, 0),
    ],
)
def test_of_channels(between, padding, bias, gone):
    net = convolutions(between, padding, bias)
    small = shrink_network(net, IMAGES, by_data=True)
    assert sum(small.dependent.values()) == gone
    assert small.units["0"] == (4, 4 - gone)
    with torch.no_grad():
        assert torch.allclose(small.model(IMAGES), net(IMAGES), atol=1e-5)
    anew = apply_shrunk(copy.deepcopy(net), {"shrunk": [small.manifest.plain()]})
    anew.load_state_dict(small.model.state_dict())
    with torch.no_grad():
        assert torch.allclose(anew(IMAGES), net(IMAGES), atol=1e-5)


def test_what_a_shortcut_adds_to_or_several_layers_make_stays():
    class Shortcut(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.one, self.two, self.relu, self.last = nn.Linear(3, 5), nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2)
            self.one.bias.data.fill_(9.0)

        def forward(self, x):
            return self.last(self.relu(self.one(x)) + self.two(x))

    assert shrink_network(Shortcut(), X, by_data=True).dependent == {}


def test_inputs_that_are_zero_on_all_examples_do_not_tell_rows_apart():
    net = network([[1.0, 0, 7], [2.0, 0, -3], [0.0, 1, 5], [-1.0, 0, 0]], [9.0, 9, 9, 0.5])
    x = X * torch.tensor([1.0, 1, 0])
    small = shrink_network(net, x, by_data=True, held_out=X)
    assert small.dependent == {"0": 1}
    assert small.guessed["examples"] <= 1e-10
    assert small.guessed["held_out"] > 0.1
