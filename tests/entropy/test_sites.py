"""Where neurons are found, what they are called, and that looking leaves no trace."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from oracles.psp_networks import NETWORKS, data
from torch import Tensor, nn
from torch.nn.modules import module as torch_module
from torch.nn.utils import parametrizations

from minima.store.command import BadInput
from minima.zoo.anatomy.sites import Sites

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu6": F.relu6,
    "leaky_relu": F.leaky_relu,
    "leaky_relu in place": lambda z: F.leaky_relu(z, inplace=True),
    "elu": F.elu,
    "selu": F.selu,
    "celu": F.celu,
    "prelu": nn.PReLU(),
    "hardtanh": nn.Hardtanh(),
    "threshold": lambda z: F.threshold(z, 0.0, 0.0),
    "softplus": F.softplus,
    "gelu": F.gelu,
    "gelu module": nn.GELU(approximate="tanh"),
    "silu": F.silu,
    "silu in place": nn.SiLU(inplace=True),
    "mish": F.mish,
    "hardswish": F.hardswish,
    "hardswish module": nn.Hardswish(inplace=True),
    "tanh": torch.tanh,
    "tanh method": lambda z: z.tanh(),
    "tanh functional": F.tanh,
    "tanh in place": lambda z: z.tanh_(),
    "sigmoid": torch.sigmoid,
    "sigmoid functional": F.sigmoid,
    "sigmoid in place": torch.sigmoid_,
    "sigmoid module": nn.Sigmoid(),
    "hardsigmoid": F.hardsigmoid,
    "logsigmoid": F.logsigmoid,
    "expit": torch.special.expit,
    "clamp_min": lambda z: torch.clamp_min(z, 0),
}


class Net(nn.Module):
    """fc1, something, fc2."""

    def __init__(self, middle: Callable[[Tensor], Tensor], width: int = 6) -> None:
        super().__init__()
        self.fc1 = nn.Linear(5, width)
        self.middle = middle
        self.fc2 = nn.Linear(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.middle(self.fc1(x)))


def names(model: nn.Module, x: Tensor) -> list[str]:
    found: list[str] = []
    Sites(model, lambda name, *_: found.append(name)).run(x)
    return found


def x_of(examples: int = 4, features: int = 5) -> Tensor:
    return torch.randn(examples, features)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_every_activation_is_a_site_with_its_input(activation: str) -> None:
    torch.manual_seed(0)
    model, x = Net(ACTIVATIONS[activation]), x_of()
    seen: dict[str, Tensor] = {}

    def visit(name: str, potential: Tensor, channels: int) -> None:
        seen[name] = potential.clone()  # before an activation in place changes it

    assert Sites(model, visit).run(x) == "fc2"
    assert list(seen) == ["fc1", "fc2"]
    with torch.no_grad():
        torch.testing.assert_close(seen["fc1"], model.fc1(x), rtol=0, atol=0)
        torch.testing.assert_close(seen["fc2"], model(x), rtol=0, atol=0)


@pytest.mark.parametrize(
    "other",
    [
        lambda z: F.max_pool1d(z[:, None], 1)[:, 0],
        lambda z: z.softmax(1),
        lambda z: F.layer_norm(z, z.shape[1:]),
        lambda z: F.dropout(z, training=False),
        lambda z: z.clamp(min=0.1),
        torch.abs,
        torch.exp,
    ],
)
def test_other_operations_are_no_sites(other: Callable[[Tensor], Tensor]) -> None:
    assert names(Net(other), x_of()) == ["fc2"]


@pytest.mark.parametrize(
    ("middle", "name"),
    [
        (lambda z: F.relu(z.view(len(z), 2, 3).flatten(1)), "fc1"),
        (lambda z: F.relu(F.dropout(z, training=False)), "fc1"),
        (lambda z: F.relu(z.unsqueeze(1).transpose(0, 1).transpose(0, 1)[:, 0]), "fc1"),
        (lambda z: F.relu(z + 1), "add"),
        (lambda z: F.relu(1 + z), "add"),
        (lambda z: F.relu(torch.add(z, z)), "add"),
        (lambda z: F.relu(z.add_(1)), "add"),
        (lambda z: F.relu(z * 2), "mul"),
        (lambda z: F.relu(torch.cat([z[:, :3], z[:, 3:]], 1)), "cat"),
        (lambda z: F.relu(F.batch_norm(z, torch.zeros(6), torch.ones(6))), "batch_norm"),
        (lambda z: F.relu(nn.Identity()(z)), "fc1"),
        (nn.Sequential(nn.Identity(), nn.BatchNorm1d(6).eval(), nn.ReLU()), "middle.1"),
    ],
)
def test_name_is_of_what_produced_the_tensor(middle: Callable[[Tensor], Tensor], name: str) -> None:
    assert names(Net(middle), x_of()) == [name, "fc2"]


def test_repeated_names_are_numbered() -> None:
    assert names(Net(lambda z: F.relu(z) - F.relu(-z) + torch.tanh(z)), x_of()) == ["fc1", "neg", "fc1#2", "fc2"]


def test_names_in_nested_residual_blocks() -> None:
    found = names(NETWORKS["resnet"]().eval(), data()[0])
    blocks = [f"layer1.{block}.{name}" for block in (0, 1) for name in ("bn1", "add")]
    assert found == ["bn1", *blocks, "fc"]


def test_input_and_parametrised_weights_are_named_after_themselves() -> None:
    model = nn.Sequential(nn.ReLU(), parametrizations.weight_norm(nn.Linear(5, 3)), nn.Tanh(), nn.Linear(3, 2))
    assert names(model, x_of()) == ["input", "1", "3"]


@pytest.mark.parametrize(
    ("squash", "expected"),
    [
        (nn.Softmax(1), ["0", "2"]),
        (nn.LogSoftmax(1), ["0", "2"]),
        (nn.Sigmoid(), ["0", "2"]),
        (nn.Identity(), ["0", "2"]),
        (nn.Sequential(nn.Flatten(), nn.LogSoftmax(1)), ["0", "2"]),
    ],
)
def test_output_layer_is_what_went_into_the_last_squashing(squash: nn.Module, expected: list[str]) -> None:
    model = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3), squash)
    assert names(model, x_of()) == expected


def test_gates_made_of_parameters_have_no_states() -> None:
    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate = nn.Parameter(torch.randn(4, 5))  # as many rows as there are examples
            self.fc = nn.Linear(5, 3)

        def forward(self, x: Tensor) -> Tensor:
            state = torch.zeros(len(x), 5)
            state[:, :] = x
            return self.fc(torch.tanh(state) * torch.sigmoid(self.gate * 2) * torch.zeros(4, 5).sigmoid())

    assert len(names(Gated(), x_of())) == 2


def test_tensors_of_custom_functions_are_still_followed() -> None:
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(_ctx: object, z: Tensor) -> Tensor:
            return z.detach() * 2

    assert len(names(Net(lambda z: F.relu(Double.apply(z))), x_of())) == 2


def test_activations_without_a_row_per_example_are_listed() -> None:
    sites = Sites(Net(lambda z: torch.tanh(z.t()).t()), lambda *_: None)
    sites.run(x_of(4))
    assert sites.skipped == {"fc1": (6, 4)}


def test_transformer_layers_do_not_hide_behind_their_fast_path() -> None:
    layer = nn.TransformerEncoderLayer(4, 2, 8, activation="gelu", batch_first=True)
    model = nn.Sequential(nn.Linear(5, 4), nn.Unflatten(1, (1, 4)), layer, nn.Flatten(), nn.Linear(4, 2)).eval()
    assert names(model, x_of()) == ["2.linear1", "4"]


class Moved(nn.Module):
    """Three channels of signals, moved about before the activation."""

    def __init__(self, move: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.conv, self.norm, self.rnn, self.move = (
            nn.Conv1d(1, 3, 3),
            nn.LayerNorm(3),
            nn.GRU(1, 3, batch_first=True),
            move,
        )
        self.out = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        z = torch.relu(self.move(self, x))
        return self.out(z.flatten(1)[:, :3])


@pytest.mark.parametrize(
    ("move", "axis"),
    [
        (lambda net, x: net.conv(x).transpose(1, 2), -1),
        (lambda net, x: net.norm(net.conv(x).transpose(1, 2)).transpose(1, 2), 1),
        (lambda net, x: net.conv(x).unsqueeze(-1).permute(0, 2, 1, 3), 2),
        (lambda net, x: net.conv(x).unsqueeze(-1).permute(0, 2, 1, 3).squeeze(-1), -1),
        (lambda net, x: net.conv(x).unsqueeze(2).mean(2), 1),
        (lambda net, x: net.conv(x).permute(2, 0, 1)[0], -1),
        (lambda net, x: net.conv(x).movedim(1, 2).chunk(2, 1)[1], -1),
        (lambda net, x: net.conv(x).unsqueeze(2).mean(axis=2), 1),
        (lambda net, x: torch.ones(3, 1).expand_as(net.conv(x)) * torch.arange(7.0) + net.conv(x), 1),
        (lambda net, x: net.rnn(x.transpose(1, 2))[0], -1),
        (lambda net, x: net.conv(x).transpose(1, 2).mean(1), -1),
        (lambda net, x: net.conv(x).transpose(1, 2)[:, [2, 0]].transpose_(1, 2), 1),
        (lambda net, x: net.conv(x).repeat(1, 2, 1)[:, :3], 1),
    ],
)
def test_channels_are_found_wherever_they_were_moved(move: Callable[..., Tensor], axis: int) -> None:
    model, found = Moved(move).eval(), {}
    Sites(model, lambda name, z, channels: found.update({name: (z, channels)})).run(torch.randn(5, 1, 9))
    potential, channels = next(iter(found.values()))
    assert channels % potential.dim() == axis % potential.dim()
    assert potential.shape[channels] == 3


def test_heads_that_are_split_keep_their_axis() -> None:
    """Numbers of channels then lie along two axes."""
    model = Net(lambda z: torch.relu(z.view(len(z), 2, -1)).flatten(1))
    axes = {}
    Sites(model, lambda name, z, channels: axes.update({name: (z.dim(), channels)})).run(torch.randn(4, 5))
    assert next(axis for dims, axis in axes.values() if dims == 3) == -1


def test_channels_of_tokens_are_last_and_of_images_first() -> None:
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(2), nn.Linear(36, 2), nn.GELU(), nn.Flatten())
    axes: dict[str, int] = {}
    Sites(model, lambda name, _, channels: axes.update({name: channels})).run(data()[0])
    assert (axes["0"], axes["3"]) == (1, -1)


def test_nothing_is_left_on_the_model_or_on_torch(network: nn.Module) -> None:
    x, _ = data()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    attributes = {name: set(vars(module)) for name, module in network.named_modules()}
    generator = torch.get_rng_state()
    names(network.eval(), x)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert {name: set(vars(module)) for name, module in network.named_modules()} == attributes
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(parameter.grad is None and not vars(parameter) for parameter in network.parameters())
    assert_torch_is_clean()


def test_nothing_is_left_when_the_network_fails() -> None:
    def fail(z: Tensor) -> Tensor:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        names(Net(fail), x_of())
    assert_torch_is_clean()


def test_networks_that_cannot_be_measured_are_refused() -> None:
    class Pair(nn.Module):
        def forward(self, x: Tensor) -> dict[str, Tensor]:
            return {"mean": x, "deviation": x}

    with pytest.raises(BadInput, match="--output NAME"):
        names(Pair(), x_of())
    with pytest.raises(BadInput, match="NaN"):
        names(nn.Linear(5, 2), x_of() * torch.nan)
    with pytest.raises(BadInput, match="shape"):
        names(nn.Sequential(nn.Linear(5, 1), nn.Flatten(0)), x_of())


def assert_torch_is_clean() -> None:
    assert not torch_module._global_forward_hooks
    assert not torch_module._global_forward_pre_hooks
    assert not torch.overrides._get_current_function_mode_stack()
