"""Rectifiers that do nothing: found by their signs, and left out to see that the outputs stay the same."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from oracles.psp_networks import RELUS, Block, ConvNet, data
from torch import Tensor, nn

from entropy.layers.estimators.egp import Egp
from entropy.layers.linear import linear_channels, output_changes
from entropy.layers.rectifiers import Rectifier, rectifiers
from entropy.layers.signs import Signs, batches_of_signs


def look(model: nn.Module, x: Tensor, batch_size: int = 7) -> dict[str, Rectifier]:
    return {layer.name: layer for layer in rectifiers(model, x, Egp(), batch_size=batch_size)[0]}


def shifted(network: ConvNet, conv: float | list[float], fc: float | list[float]) -> ConvNet:
    """With biases that keep channels ON (+100) or OFF (-100) whatever the input."""
    network.conv1.bias.data = torch.tensor(conv).expand(3).clone()
    network.fc1.bias.data = torch.tensor(fc).expand(5).clone()
    return network


ON_AND_OFF = [100.0, -100.0, 100.0, -100.0, 100.0]


@pytest.mark.parametrize("relu", sorted(RELUS))
@pytest.mark.parametrize(
    ("fc", "on", "off"), [(1000.0, 5, 0), (-1000.0, 0, 5), ([1000.0, -1000, 1000, -1000, 1000], 3, 2)]
)
def test_rectifier_of_constant_channels_can_go(relu: str, fc: float | list[float], on: int, off: int) -> None:
    torch.manual_seed(0)
    found = look(shifted(ConvNet(relu), 0.0, fc), data()[0])
    summary = found["fc1"].summary()
    assert (summary["always_on"], summary["always_off"]) == (on, off)
    assert (summary["entropy"], summary["removable"], summary["max_output_change"]) == (0.0, True, 0.0)
    assert not found["conv1"].removable
    assert found["conv1"].change is None


def test_every_rectifier_of_a_linear_network_can_go() -> None:
    torch.manual_seed(0)
    found = look(shifted(ConvNet(), [100.0, -100, 100], ON_AND_OFF), data()[0])
    assert all(layer.removable for layer in found.values())
    torch.manual_seed(0)
    one_is_needed = look(shifted(ConvNet(), [100.0, -100, 0.1], 1e4), data()[0])
    assert [layer.removable for layer in one_is_needed.values()] == [False, True]


def test_removed_is_what_a_network_without_it_computes() -> None:
    """An always-ON convolution: the same network written without that rectifier."""

    class Without(ConvNet):
        def forward(self, x: Tensor) -> Tensor:
            h = F.max_pool2d(self.conv1(x), 2).flatten(1)
            return self.fc2(self.relu(self.fc1(h)))

    torch.manual_seed(0)
    network, (x, _) = shifted(ConvNet(), 100.0, 0.0).eval(), data()
    without = Without().eval()
    without.load_state_dict(network.state_dict())
    assert look(network, x)["conv1"].removable
    with torch.no_grad():
        assert torch.equal(network(x), without(x))


def test_a_wrong_replacement_is_seen() -> None:
    """The comparison is no formality: the change is that of the outputs without the rectifier."""
    torch.manual_seed(0)
    network, (x, _) = ConvNet().eval(), data()
    (batch,) = batches_of_signs(network, x, 64)
    assert linear_channels(batch.signs["fc1"]) is None
    for passing in (torch.ones(5, dtype=torch.bool), torch.tensor([True, False, True, True, False])):
        changes = output_changes(network, x, 5, batch.output, {"fc1": passing})
        with torch.no_grad():
            z = network.fc1(F.max_pool2d(network.conv1(x).relu(), 2).flatten(1))
            expected = (network.fc2(z * passing) - network(x)).abs().max()
        assert changes["fc1"].largest == pytest.approx(float(expected), rel=1e-4)
        assert not changes["fc1"].none


@pytest.mark.parametrize(
    ("activation", "bias", "removable"),
    [
        (nn.ReLU6(), 3.0, True),
        (nn.ReLU6(), 100.0, False),  # beyond 6 it is constant
        (nn.LeakyReLU(0.2), 100.0, True),
        (nn.LeakyReLU(0.2), -100.0, True),  # linear with another slope
        (nn.LeakyReLU(0.2, inplace=True), ON_AND_OFF, True),
        (nn.PReLU(5), ON_AND_OFF, True),
        (nn.ELU(), 100.0, True),
        (nn.ELU(), -100.0, False),  # -1 there
        (nn.GELU(), 1.0, False),
        (nn.GELU(), 100.0, True),  # so far out that its curve is rounded away
        (nn.GELU(), ON_AND_OFF, True),
        (nn.SiLU(inplace=True), 3.0, False),
        (nn.Hardswish(), 100.0, True),
        (nn.Tanh(), 1.0, False),
        (nn.Sigmoid(), -1.0, False),
    ],
)
def test_other_activations_are_measured(activation: nn.Module, bias: float | list[float], removable: bool) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 5), activation, nn.Linear(5, 3)).double()
    model[0].weight.data.mul_(0.1)
    model[0].bias.data = torch.tensor(bias).double().expand(5).clone()
    (layer,) = look(model, torch.rand(20, 4).double()).values()
    assert layer.change is not None
    assert layer.removable is removable
    if not removable:
        assert layer.change.largest > 1e-4


@pytest.mark.parametrize("axis", [1, -1])
def test_channels_of_images_and_of_tokens(axis: int) -> None:
    """Channels ON, OFF and ON; every position of the others' place would be wrong."""
    torch.manual_seed(0)
    layer: nn.Module = nn.Conv1d(4, 3, 1) if axis == 1 else nn.Linear(4, 3)
    layer.bias.data = torch.tensor([100.0, -100, 100])  # type: ignore[union-attr, operator]
    model = nn.Sequential(layer, nn.ReLU(), nn.Flatten(), nn.Linear(12, 2))
    (found,) = look(model, torch.randn(6, 4, 4)).values()
    assert found.signs.observed.tolist() == [24, 24, 24]
    assert found.summary()["always_on"] == 2
    assert found.summary()["max_output_change"] == 0.0


def test_residual_block_with_a_dead_branch_and_an_always_on_sum() -> None:
    torch.manual_seed(0)
    block = Block(2, 2).eval()
    block.bn1.bias.data.fill_(-100.0)  # its rectifier passes nothing
    block.bn2.bias.data.fill_(100.0)  # the sum is always positive
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), block, nn.Flatten(), nn.LazyLinear(3))
    x, _ = data()
    model(x)
    found = look(model, x)
    assert {name: layer.removable for name, layer in found.items()} == {"0": False, "2.bn1": True, "2.add": True}
    assert found["2.bn1"].summary()["always_off"] == 2
    assert found["2.add"].summary()["always_on"] == 2


@pytest.mark.parametrize("squash", [nn.Sigmoid(), nn.LogSoftmax(1), nn.Identity()])
def test_output_is_no_rectifier_but_what_is_compared(squash: nn.Module) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3), squash)
    model[0].bias.data.fill_(100.0)
    found = look(model, torch.randn(9, 4))
    assert list(found) == ["0"]
    assert found["0"].removable


def test_channels_by_their_signs() -> None:
    counts = {"negative": [0, 3, 0, 0, 2], "zero": [0, 0, 3, 1, 1], "positive": [3, 0, 0, 2, 0]}
    signs = Signs(**{sign: torch.tensor(each).numpy() for sign, each in counts.items()})
    channels = linear_channels(signs)
    assert channels is not None
    assert channels.tolist() == [True, False, False, True, False]


@pytest.mark.parametrize("scale", [1.0, 1e6])
def test_tolerance_grows_with_the_outputs(scale: float) -> None:
    torch.manual_seed(0)
    first, last = nn.Linear(4, 5), nn.Linear(5, 3)
    first.bias.data.fill_(100.0)
    last.weight.data.mul_(scale)
    change = look(nn.Sequential(first, nn.GELU(), last), torch.randn(9, 4))["0"].change
    assert change is not None
    assert 1e-6 * scale < change.tolerance < 1e-3 * scale
    assert change.none
