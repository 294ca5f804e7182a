"""Counts and entropies equal a slow reference that computes the potentials and the formulas on its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from oracles.psp_networks import RELUS, ConvNet, data
from oracles.psp_reference import layer_reference
from torch import nn

from entropy.information.measurement import measure

CLASSES = 4


@pytest.mark.parametrize("kind", ["position", "channel"])
@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_every_number_of_every_layer(network: nn.Module, kind: str, batch_size: int) -> None:
    x, y = data()
    layers, skipped = measure(network, x, y, CLASSES, neurons=kind, batch_size=batch_size)
    with torch.no_grad():
        potentials = network.eval().potentials(x)
    assert [layer.name for layer in layers] == [name for name, _ in potentials]
    assert [layer.output for layer in layers] == [False] * (len(layers) - 1) + [True]
    assert skipped == {}
    for layer, (_, z) in zip(layers, potentials, strict=True):
        expected = layer_reference(z, y, CLASSES, kind)
        for attribute in ("entropy", "corrected", "information", "dead", "always_on"):
            np.testing.assert_allclose(
                getattr(layer, attribute), [neuron[attribute] for neuron in expected], rtol=1e-12, atol=1e-12
            )


def test_summary_is_of_the_reference_numbers(network: nn.Module) -> None:
    x, y = data()
    layers, _ = measure(network, x, y, CLASSES)
    with torch.no_grad():
        potentials = network.eval().potentials(x)
    for layer, (_, z) in zip(layers, potentials, strict=True):
        expected = layer_reference(z, y, CLASSES)
        bits = [neuron["entropy"] for neuron in expected]
        alive = [neuron["entropy"] for neuron in expected if not neuron["dead"] and not neuron["always_on"]]
        summary = layer.summary()
        assert summary["neurons"] == len(bits)
        assert summary["mean"] == pytest.approx(np.mean(bits))
        assert summary["std"] == pytest.approx(np.std(bits))
        assert (summary["min"], summary["max"]) == (pytest.approx(min(bits)), pytest.approx(max(bits)))
        assert summary["alive_mean"] == pytest.approx(np.mean(alive) if alive else np.nan, nan_ok=True)
        assert summary["corrected_mean"] == pytest.approx(np.mean([neuron["corrected"] for neuron in expected]))
        information = np.mean([neuron["information"] for neuron in expected])
        assert summary["class_information_mean"] == pytest.approx(information)
        assert summary["dead"] == sum(neuron["dead"] for neuron in expected)
        assert summary["always_on"] == sum(neuron["always_on"] for neuron in expected)


@pytest.mark.parametrize("relu", sorted(RELUS))
def test_every_spelling_of_relu_gives_the_same_counts(relu: str) -> None:
    x, y = data()
    network, plain = ConvNet(relu), ConvNet("function")
    network.load_state_dict(plain.state_dict())
    found, _ = measure(network, x, y, CLASSES)
    expected, _ = measure(plain, x, y, CLASSES)
    assert [layer.name for layer in found] == ["conv1", "fc1", "fc2"]
    for layer, its_twin in zip(found, expected, strict=True):
        np.testing.assert_array_equal(layer.counts, its_twin.counts)
