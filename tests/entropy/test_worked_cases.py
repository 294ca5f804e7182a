"""The worked cases of specs/psp-entropy.md, section 1.5."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from entropy.information.layer import LayerEntropy, network_mean
from entropy.information.measurement import measure

LABELS = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
P1_1 = torch.tensor(
    [[1.0, -1], [2, -1], [-1, 0], [3, -2], [1, 1], [-1, -1], [1, 1], [-1, -1]]  # (example, neuron)
)


class Potentials(nn.Module):
    """The input is the potential; its activation is the last thing but the head."""

    def __init__(self, neurons: int, activation: nn.Module | None = None) -> None:
        super().__init__()
        self.layer = nn.Identity()
        self.activation = activation or nn.ReLU()
        self.head = nn.Linear(neurons, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.activation(self.layer(x)).flatten(1))


def hidden(x: Tensor, y: Tensor, **flags: object) -> LayerEntropy:
    layers, _ = measure(Potentials(x[0].numel()), x, y, 2, **flags)  # type: ignore[arg-type]
    return layers[0]


def test_p1_1_first_order() -> None:
    layer = hidden(P1_1, LABELS)
    assert layer.entropy.tolist() == pytest.approx([1.811278, 1.0], abs=5e-7)
    assert layer.summary()["mean"] == pytest.approx(1.405639, abs=5e-7)
    assert network_mean([layer]) == pytest.approx(1.405639, abs=5e-7)
    assert layer.counts.tolist() == [[3, 0], [2, 2]]


def test_p1_3_class_information() -> None:
    assert hidden(P1_1, LABELS).information[0] == pytest.approx(0.048795, abs=5e-7)


def test_p1_4_zero_is_off() -> None:
    layer = hidden(torch.zeros(8, 3), LABELS)
    assert layer.counts.sum() == 0
    summary = layer.summary()
    assert (summary["mean"], summary["dead"], summary["always_on"]) == (0.0, 3, 0)
    assert (summary["corrected_mean"], summary["class_information_mean"]) == (0.0, 0.0)
    assert math.isnan(summary["alive_mean"])


def test_p1_4_absent_class_is_left_out() -> None:
    x = P1_1[:4]
    layers, _ = measure(Potentials(2), x, LABELS[:4], 5)
    assert layers[0].entropy.tolist() == pytest.approx([0.811278, 0.0], abs=5e-7)
    summary = layers[0].summary()
    finite = {key: value for key, value in summary.items() if isinstance(value, float)}
    nowhere = {key for key, value in finite.items() if math.isnan(value)}
    assert nowhere == set()
    assert summary["class_information_mean"] == 0.0  # one class: nothing to be informed of


@pytest.mark.parametrize("batch_size", [1, 3, 5, 8])
def test_p1_4_any_batch_size_and_ragged_last_batch(batch_size: int) -> None:
    assert hidden(P1_1, LABELS, batch_size=batch_size).counts.tolist() == [[3, 0], [2, 2]]


def test_p1_4_train_mode_does_not_leak_in() -> None:
    """Batch norm in train mode would centre the potentials, dropout would switch neurons off at random."""
    torch.manual_seed(0)
    norm = nn.BatchNorm1d(2)
    assert norm.running_mean is not None
    norm.running_mean += 10.0  # in eval mode every potential is negative
    network = nn.Sequential(nn.Dropout(0.9), norm, nn.ReLU(), nn.Linear(2, 2)).train()
    layers, _ = measure(network, P1_1, LABELS, 2)
    assert layers[0].name == "1"
    assert layers[0].counts.sum() == 0
    assert all(module.training for module in network.modules())


@pytest.mark.parametrize(("kind", "entropies"), [("position", [0.0] * 32), ("channel", [2 * 1.0])])
def test_p1_6_convolution_with_constant_halves(kind: str, entropies: list[float]) -> None:
    """Left half +1, right half -1: constant per position, a coin flip per channel (1 bit in each of two classes)."""
    x = torch.ones(8, 1, 4, 8)
    x[..., 4:] = -1
    convolution = nn.Conv2d(1, 1, 1, bias=False)
    convolution.weight.data.fill_(1)
    network = nn.Sequential(convolution, nn.ReLU(), nn.Flatten(), nn.Linear(32, 2))
    layers, _ = measure(network, x, LABELS, 2, neurons=kind)  # type: ignore[arg-type]
    assert layers[0].entropy.tolist() == entropies
    dead_and_on = (layers[0].summary()["dead"], layers[0].summary()["always_on"])
    assert dead_and_on == ((16, 16) if kind == "position" else (0, 0))


def test_p1_8_potential_is_the_output_of_batch_norm() -> None:
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(2).eval()
    norm.bias.data.copy_(torch.tensor([1.0, -0.5]))
    convolution = nn.Conv2d(1, 2, 3)
    network = nn.Sequential(convolution, norm, nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))
    x = torch.randn(8, 1, 4, 4)
    network(x)
    before, _ = measure(network, x, LABELS, 2)
    assert before[0].name == "1"
    with torch.no_grad():
        on = norm(convolution(x)) > 0
    assert before[0].counts.sum(0).tolist() == on.flatten(1).sum(0).tolist()
    norm.bias.data.neg_()
    after, _ = measure(network, x, LABELS, 2)
    assert after[0].summary()["mean"] != before[0].summary()["mean"]
