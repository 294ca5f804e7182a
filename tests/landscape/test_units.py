"""Which units may be rescaled, and that rescaling them leaves the function as it is."""

from collections import OrderedDict

import pytest
import torch
from oracles.small_networks import make
from torch import Tensor, nn

from landscape.symmetry.rescaling import rescaled
from minima.store.command import BadInput
from minima.zoo.anatomy.units import trace_units
from minima.zoo.architecture.architecture import describe, initialise, parse_architecture


class Residual(nn.Module):
    """A block whose sum ties the scale of what it adds to that of its input."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.branch = nn.Conv2d(4, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.stem(x))
        x = torch.nn.functional.max_pool2d(torch.relu(self.norm(self.branch(x)) + x), 2)
        return self.head(x.flatten(1))


def free(model: nn.Module, x: Tensor) -> list[tuple[int, list[str], list[tuple[str, int]]]]:
    return [(group.size, group.made, group.read) for group in trace_units(model, x[:1]).groups]


BETWEEN = {
    "mlp": [(6, ["fc1.weight", "fc1.bias"], [("fc2.weight", 1)]), (4, ["fc2.weight", "fc2.bias"], [("fc3.weight", 1)])],
    "batchnorm": [
        (3, ["bn1.weight", "bn1.bias"], [("conv2.weight", 1)]),
        (3, ["conv2.weight", "conv2.bias"], [("fc.weight", 1)]),
    ],
    "tied": [],  # a weight that two layers share
    "attention": [],
}


@pytest.mark.parametrize("kind", BETWEEN)
def test_what_makes_and_reads_units(kind) -> None:
    case = make(kind)
    assert free(case.model, case.x) == BETWEEN[kind]


def test_a_sum_ties_scales_and_a_flattened_channel_is_several_inputs() -> None:
    ((size, made, read),) = free(Residual(), torch.randn(1, 1, 4, 4))
    assert (size, set(made)) == (4, {"stem.weight", "stem.bias", "norm.weight", "norm.bias"})
    assert set(read) == {("branch.weight", 1), ("head.weight", 4)}


@pytest.mark.parametrize("network", ["residual", "mlp", "conv", "batchnorm"])
@pytest.mark.parametrize("kind", ["layer", "unit"])
def test_the_function_stays(network, kind) -> None:
    case = make("conv" if network == "residual" else network, dtype=torch.float64)
    model, x = (Residual().double() if network == "residual" else case.model), case.x
    for parameter in model.parameters():  # a batch norm's bias is 0 otherwise
        parameter.data.add_(0.1)
    found = rescaled(model, x, kind, seed=1)
    assert found.output_change < 1e-12
    torch.testing.assert_close(found.model.eval()(x), model.eval()(x))
    for group in trace_units(model, x[:1]).groups:
        bias = next(name for name in group.made if name.endswith("bias"))
        factors = found.model.get_parameter(bias) / model.get_parameter(bias)
        assert ((factors - factors[0]).abs().max() > 1e-6) == (kind == "unit")
        assert 0.1 < factors.min() < factors.max() + 1e-12 < 10


@pytest.mark.parametrize("curved", [nn.Tanh(), nn.GELU(), nn.ReLU6(), nn.Softplus()])
def test_what_is_not_positively_homogeneous_is_refused(curved) -> None:
    model = nn.Sequential(OrderedDict(a=nn.Linear(3, 4), b=curved, c=nn.Linear(4, 4), d=nn.ReLU(), e=nn.Linear(4, 2)))
    with pytest.raises(BadInput, match="--rescale-test"):
        rescaled(model, torch.randn(4, 3), "unit", 0)


def test_a_vision_transformer_is_refused_for_its_activation() -> None:
    model = initialise(describe(parse_architecture("vit:dim=8,depth=1,heads=2"), (1, 8, 8), 10), 0)
    with pytest.raises(BadInput, match="gelu"):
        rescaled(model, torch.randn(2, 1, 8, 8), "layer", 0)


def test_what_is_not_understood_keeps_its_scale() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.c(torch.relu(self.b(torch.softmax(self.a(x), 1))))

    assert free(Odd(), torch.randn(1, 3)) == [(4, ["b.weight", "b.bias"], [("c.weight", 1)])]
    with pytest.raises(BadInput, match="no layer"):
        rescaled(nn.Linear(3, 2), torch.randn(4, 3), "layer", 0)
