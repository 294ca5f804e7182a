"""Passes with other tensors in the place of a network's own: modules under several names, tied tensors."""

from pathlib import Path

import pytest
import torch
from torch import nn

import minima
from landscape import loss_path, measure_sharpness, top_eigenvalues
from minima.zoo.examples.functional import functional_call
from pruning import prune


class Tied(nn.Module):
    """Two layers that share a parameter, and a third that is one of them again under another name."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.head = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 3)
        self.second.weight = self.first.weight
        self.again = self.second

    def forward(self, x):
        return self.head(self.again(self.second(self.first(x).relu()).relu()))


def several_names():
    """A linear layer and a PReLU at two and at three places of a sequence."""
    torch.manual_seed(0)
    layer, slope = nn.Linear(4, 4), nn.PReLU()
    return nn.Sequential(nn.Linear(4, 4), slope, layer, slope, layer, slope, nn.Linear(4, 3))


def held(model):
    """Every place that holds a tensor, with the very tensor."""
    return [
        (name, key, tensor)
        for name, module in model.named_modules(remove_duplicate=False)
        for key, tensor in (module._parameters | module._buffers).items()
    ]


@pytest.mark.parametrize("make", [Tied, several_names, lambda: nn.Linear(4, 3)])
def test_tied_tensors_are_replaced_everywhere_and_the_own_ones_come_back(make):
    model, other, x = make(), make(), torch.randn(5, 4)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.mul_(1.5)
    before = held(model)
    given = {name: parameter.detach() for name, parameter in other.named_parameters()}
    assert torch.equal(functional_call(model, given, (x,)), other(x))
    assert all(own is now for (*_, own), (*_, now) in zip(before, held(model), strict=True))


def test_a_tied_tensor_may_go_by_any_of_its_names():
    model, x = several_names(), torch.randn(5, 4)
    weight = torch.randn(4, 4)
    found = [functional_call(model, {name: weight}, (x,)) for name in ("2.weight", "4.weight")]
    assert torch.equal(*found)


def test_nothing_else_calls_torchs():
    root = Path(minima.__file__).parents[1]
    code = [file for part in ("minima", "landscape", "entropy", "pruning") for file in (root / part).rglob("*.py")]
    found = {
        file.name
        for file in code
        if "func.functional_call" in (text := file.read_text())
        or (
            "from torch.func import" in text
            and "functional_call" in text.partition("from torch.func import")[2].split("\n")[0]
        )
    }
    assert found == {"functional.py"}


DATA = torch.randn(12, 4, generator=torch.Generator().manual_seed(1)), torch.arange(12) % 3


@pytest.mark.parametrize(
    "measure",
    [
        lambda model: measure_sharpness(model, DATA, measures=["sam"]),
        lambda model: top_eigenvalues(model, DATA, k=1),
        lambda model: loss_path(model, several_names(), DATA),
    ],
)
def test_measures_leave_a_module_under_several_names_its_weights(measure):
    model = several_names()
    before, values = held(model), {name: value.clone() for name, value in model.state_dict().items()}
    measure(model)
    assert all(own is now for (*_, own), (*_, now) in zip(before, held(model), strict=True))
    assert all(torch.equal(value, values[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("method", ["snip", "obd", "empirical-fisher", "synflow"])
def test_a_pruned_network_trains_a_module_under_several_names(method):
    model = several_names()
    found = prune(
        model, DATA, method=method, sparsity=0.5, epochs=2, initial=model, recipe={"lr": 0.1, "batch_size": 4}
    )
    parameters = dict(found.model.named_parameters())
    assert list(parameters) == list(dict(model.named_parameters()))
    for name, mask in found.masks.items():
        assert not parameters[name][~mask].any()
        assert not torch.equal(parameters[name], model.get_parameter(name) * mask)
    kept = sum(int(mask.sum()) for mask in found.masks.values())
    total = sum(mask.numel() for mask in found.masks.values())
    assert kept == total - round(0.5 * total)
