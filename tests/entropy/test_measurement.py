"""The counting pass: independent of batches and of the order of examples, exact, and without a trace."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.psp_networks import ConvNet, ResNet, data
from torch import Tensor, nn

from entropy.information import room
from entropy.information.layer import LayerEntropy, network_mean
from entropy.information.measurement import measure
from minima.store.command import BadInput

CLASSES = 4


def whole(layers: list[LayerEntropy]) -> list[list[list[int]]]:
    return [layer.counts.tolist() for layer in layers]


@settings(max_examples=25, deadline=None)
@given(batch_size=st.integers(1, 40), examples=st.integers(1, 30), seed=st.integers(0, 5))
def test_counts_do_not_depend_on_batches_or_order(batch_size: int, examples: int, seed: int) -> None:
    torch.manual_seed(seed)
    network = ConvNet()
    x, y = data(examples, CLASSES, seed=seed)
    layers, _ = measure(network, x, y, CLASSES, batch_size=batch_size)
    shuffled = torch.randperm(examples)
    at_once, _ = measure(network, x[shuffled], y[shuffled], CLASSES, batch_size=examples)
    assert whole(layers) == whole(at_once)


def test_everything_is_equal_for_every_batch_size(network: nn.Module) -> None:
    x, y = data(101)
    summaries = [
        [layer.summary() for layer in measure(network, x, y, CLASSES, batch_size=size, available=200)[0]]
        for size in (1, 7, 64, 101)
    ]
    assert all(summary == summaries[0] for summary in summaries[1:])


def test_duplicated_examples_leave_the_entropy(network: nn.Module) -> None:
    x, y = data()
    once, _ = measure(network, x, y, CLASSES)
    twice, _ = measure(network, torch.cat([x, x]), torch.cat([y, y]), CLASSES)
    for layer, other in zip(once, twice, strict=True):
        np.testing.assert_allclose(other.entropy, layer.entropy, atol=1e-12)
        np.testing.assert_array_equal(other.counts, 2 * layer.counts)


def test_positive_rescaling_of_units_leaves_every_count() -> None:
    torch.manual_seed(0)
    network, (x, y) = ConvNet(), data(60)
    before, _ = measure(network, x, y, CLASSES)
    with torch.no_grad():
        network.fc1.weight *= torch.tensor([0.25, 0.5, 1, 2, 4])[:, None]  # powers of two: no rounding
        network.fc1.bias *= torch.tensor([0.25, 0.5, 1, 2, 4])
        network.fc2.weight /= torch.tensor([0.25, 0.5, 1, 2, 4])
    after, _ = measure(network, x, y, CLASSES)
    assert whole(before) == whole(after)


def test_model_is_untouched() -> None:
    torch.manual_seed(0)
    network, (x, y) = ResNet(), data()
    network.train()
    network.layer1[0].eval()  # a mixture of modes is what must come back
    modes = [module.training for module in network.modules()]
    state = {name: value.clone() for name, value in network.state_dict().items()}
    original = x.clone()
    measure(network, x, y, CLASSES)
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert torch.equal(x, original)


@pytest.mark.parametrize(("samples", "kind"), [(50, torch.uint8), (1100, torch.int16)])
def test_narrow_counters_do_not_overflow(samples: int, kind: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BLOCKS", 1)
    network = nn.Sequential(nn.ReLU(), nn.Linear(1, 1))
    layers, _ = measure(network, torch.ones(samples, 1), torch.zeros(samples, dtype=torch.long), 1)
    assert layers[0].block_counts.dtype == torch.empty(0, dtype=kind).numpy().dtype
    assert layers[0].counts.tolist() == [[samples]]


def test_many_neurons_are_counted_in_fewer_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = data()
    full, _ = measure(ConvNet(), x, y, CLASSES)
    monkeypatch.setattr(room, "COUNT_BYTES", 10)
    layers, _ = measure(ConvNet(), x, y, CLASSES)
    assert full[0].block_counts.shape[0] == 20
    assert layers[0].block_counts.shape[0] == 1
    assert np.isnan(layers[0].summary()["stderr"])


def test_errors_shrink_to_nothing_when_the_whole_split_is_used() -> None:
    x, y = data(100)
    part = measure(ConvNet(), x, y, CLASSES, available=400)[0][0].summary()
    whole_split = measure(ConvNet(), x, y, CLASSES)[0][0].summary()
    assert whole_split["stderr"] == 0
    assert whole_split["stderr_new_images"] > 0
    assert part["stderr"] == pytest.approx(part["stderr_new_images"] * 0.75**0.5)


def test_network_mean_is_over_hidden_neurons_alike() -> None:
    x, y = data()
    layers, _ = measure(ConvNet(), x, y, CLASSES)
    neurons = np.concatenate([layers[0].entropy, layers[1].entropy])
    assert len(neurons) == 3 * 6 * 6 + 5
    assert network_mean(layers) == pytest.approx(neurons.mean())
    assert np.isnan(network_mean(layers[-1:]))


def test_a_network_that_takes_another_path_for_some_batches_is_refused() -> None:
    class Fickle(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.relu() if x.sum() > 0 else x.tanh().relu()

    x = torch.tensor([[1.0], [1.0], [-1.0], [-1.0]])
    with pytest.raises(BadInput, match="in one batch"):
        measure(Fickle(), x, torch.tensor([0, 0, 1, 1]), 2, batch_size=2)
