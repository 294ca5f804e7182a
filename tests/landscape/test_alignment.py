"""Units in another order: every network of the zoo against itself, brute force, trained networks."""

import itertools
import json

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import pad, relu

from landscape.symmetry import alignment
from landscape.symmetry.weight_matching import match_weights
from minima.store.checkpoints.checkpoint import load, save
from minima.train import main as train
from minima.zoo.anatomy.exchange import Group, exchanged
from minima.zoo.anatomy.exchangeable import exchangeable
from minima.zoo.architecture.architecture import architectures
from minima.zoo.subject.subject import load_subject
from minima.zoo.training.flags import Train

NARROW = {"lenet5": "units=40", "mobilenet": "width=4", "vgg16": "width=4", "vit": "dim=16"}
NARROW |= dict.fromkeys(("resnet20", "resnet32", "resnet56"), "width=4")


def permuted(model, x, seed=0):
    """Its state with the units of each group in random orders, and what was found of them."""
    groups, lost = exchangeable(model, x)
    draws = np.random.default_rng(seed)
    orders = [draws.permutation(group.size) for group in groups]
    return exchanged(model.state_dict(), groups, orders), groups, lost


def same_function(model, state, x):
    expected = model(x)
    model.load_state_dict(state)
    return torch.allclose(model(x), expected, atol=1e-4 * float(expected.detach().abs().max()))


@pytest.mark.parametrize("name", architectures())
def test_a_permuted_copy_has_no_barrier(command, another, tmp_path, name):
    model = f"{name}:{NARROW[name]}" if name in NARROW else name
    path = another("net.pt", model=model, sparsity=0.5, below=0.5)  # means above 0 alone make deep networks constant
    net = load_subject(path, samples=20)
    state, groups, lost = permuted(net.model, net.x[:1])
    assert groups
    assert all("attention" in layer for layer in lost), lost
    assert not torch.equal(state[groups[0].names[0]], net.model.state_dict()[groups[0].names[0]])
    checkpoint, other = load(path), tmp_path / "permuted.pt"
    masks = {layer: value != 0 for layer, value in state.items() if layer in checkpoint.masks}
    save(type(checkpoint)(**(vars(checkpoint) | {"state": state, "masks": masks})), other)
    flags = [path, other, "--samples", 20, "--points", 3]
    apart = command("path", *flags, "-o", tmp_path / "apart.h5")[1]
    status, together, _ = command("path", *flags, "--align", "weights", "-o", tmp_path / "together.h5")
    assert status == 0
    assert apart["losses"][0] == pytest.approx(apart["losses"][2], rel=1e-5)  # the same function
    assert apart["distance"] > 1
    assert together["barrier"]["loss"] < 1e-6
    assert together["distance"] == pytest.approx(0, abs=1e-5)
    assert together["not_aligned"] == lost


class Odd(nn.Module):
    """Whatever is not a plain chain: a reshape that mixes units, groups, concatenation, padding, a shared shift."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        self.conv1, self.conv2 = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 8, 3, padding=1)
        self.grouped = nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.wide = nn.Conv2d(12, 8, 3, padding=1)
        self.shift, self.scale = nn.Parameter(torch.randn(8, 1, 1)), nn.Parameter(torch.rand(4))
        self.linear = nn.Linear(8, 3)

    def forward(self, x):
        first = torch.tanh(self.conv1(x))
        out = {
            "plain": lambda: self.conv2(first) + self.shift,
            "padded": lambda: self.conv2(first) + pad(first, (0, 0, 0, 0, 2, 2)),
            "joined": lambda: self.wide(torch.cat([first, self.conv2(first)], dim=1)),
            "grouped": lambda: self.grouped(relu(self.conv2(first))),
            "mixed": lambda: self.conv2(first).transpose(1, 3).reshape(len(x), 8, 4, 4) + self.shift,
            "shuffled": lambda: self.conv2(first).reshape(len(x), 4, 8, 4).transpose(1, 2) + self.shift,
            "sorted": lambda: self.conv2(first.sort(dim=1).values),
            "halves": lambda: torch.cat([self.conv2(first)[:, :3], self.conv2(first)[:, 3:].neg()], dim=1),
            "weighted": lambda: self.conv2((first.movedim(1, -1) * self.scale).movedim(-1, 1)),
            "in place": lambda: self.conv2(first).relu_().add_(self.shift),
            "written": lambda: self._written(self.conv2(first)),
        }[self.kind]()
        return self.linear(relu(out).mean(dim=(2, 3)))

    @staticmethod
    def _written(out):
        out[:, 0] = 2 * out[:, 1]
        return out


SIZES = {
    "plain": {4, 8},
    "padded": {4},  # and the padding: four more units, of their own
    "joined": {4, 8},
    "grouped": {4},
    "mixed": {4, 8},  # each of the new channels holds all eight, of which the mean is taken
    "shuffled": {4},
    "sorted": {8},
    "halves": {4, 3, 5},
    "weighted": {4, 8},
    "in place": {4, 8},
    "written": {4},
}


@pytest.mark.parametrize("kind", SIZES)
def test_what_is_not_understood_keeps_its_order(kind):
    torch.manual_seed(0)
    model, x = Odd(kind).eval(), torch.randn(3, 1, 4, 4)
    state, groups, _ = permuted(model, x[:1])
    assert {group.size for group in groups} == SIZES[kind]
    assert same_function(model, state, x)


def test_an_order_that_changes_the_function_is_refused(command, another, monkeypatch):
    ends = [another(f"{seed}.pt", seed=seed) for seed in (0, 1)]
    wrong = Group({("fc1.weight", 0): np.arange(8)[:, None]})  # without its bias and what reads it
    monkeypatch.setattr(alignment, "exchangeable", lambda *_: ([wrong], []))
    status, _, err = command("path", *ends, "--align", "weights")
    assert status == 1
    assert "computes something else" in err


def test_layers_that_lost_their_units_are_named():
    lost = {kind: exchangeable(Odd(kind).eval(), torch.zeros(1, 1, 4, 4))[1] for kind in SIZES}
    assert lost["grouped"] == []
    assert lost["sorted"] == ["conv1.weight"]
    assert lost["plain"] == []


def likeness(first, second, groups, orders):
    return sum(float((first[name] * value).sum()) for name, value in exchanged(second, groups, orders).items())


@pytest.mark.parametrize("seed", range(5))
def test_against_all_orders(seed):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    groups, _ = exchangeable(model, torch.zeros(1, 3))
    ends = [{name: torch.randn_like(p) for name, p in model.named_parameters()} for _ in range(2)]
    every = itertools.product(*(map(np.array, itertools.permutations(range(group.size))) for group in groups))
    best = max(likeness(*ends, groups, orders) for orders in every)
    assert likeness(*ends, groups, match_weights(*ends, groups, 0)) == pytest.approx(best, rel=1e-6)


def test_alignment_lowers_the_barrier_of_trained_networks(command, tmp_path):
    for seed in (0, 1):
        train(Train(model="lenet300", epochs=6, seed=seed, out=str(tmp_path / f"{seed}.pt")))
    ends = [tmp_path / "0.pt", tmp_path / "1.pt", "--points", 7]
    _, apart, _ = command("path", *ends, "-o", tmp_path / "apart.h5")
    _, together, _ = command("path", *ends, "--align", "weights", "-o", tmp_path / "together.h5")
    assert together["barrier"]["loss"] < 0.2 * apart["barrier"]["loss"]
    assert together["losses"][-1] == pytest.approx(apart["losses"][-1], rel=1e-4)
    assert together["distance"] < together["distance_before"] == apart["distance"]
    _, again, _ = command("path", *ends, "--align", "weights", "-o", tmp_path / "again.h5")
    assert json.dumps(again["losses"]) == json.dumps(together["losses"])
