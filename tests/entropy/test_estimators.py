"""Layer entropies against loops, the worked cases of specs/psp-entropy.md 4 and 5, and what batches do to them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.layers_reference import layer_entropy, published_entropy
from oracles.psp_networks import ConvNet, ResNet, Shared, data
from torch import Tensor, nn

from entropy.layers.estimator import estimators
from entropy.layers.rectifiers import Rectifier, budgets, rectifiers
from entropy.layers.signs import Signs
from minima.store.command import BadInput

ESTIMATORS = estimators()
PUBLISHED = ("easier", "egp", "nepenthe")
CASE = torch.tensor([[2.0], [0], [0], [-1]])


def look(model: nn.Module, x: Tensor, estimator: str, batch_size: int = 64, published: bool = False) -> list[Rectifier]:
    return rectifiers(model, x, ESTIMATORS[estimator](), batch_size=batch_size, published=published)[0]


def layer_of(x: Tensor, estimator: str) -> Rectifier:
    """A network whose input is the potential."""
    return look(nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(x[0].numel(), 2)), x, estimator)[0]


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_estimator_finds_a_bit_at_most_whatever_the_batches(network: nn.Module, estimator: str) -> None:
    found = look(network, data()[0], estimator)
    assert found
    assert all(0 <= layer.entropy <= 1 for layer in found)
    assert [layer.entropy for layer in look(network, data()[0], estimator, 3)] == [layer.entropy for layer in found]
    assert ESTIMATORS[estimator].meaning
    assert ESTIMATORS[estimator].paper


@pytest.mark.parametrize("estimator", PUBLISHED)
@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_every_layer_of_every_network(network: nn.Module, estimator: str, batch_size: int) -> None:
    x, _ = data()
    layers = look(network, x, estimator, batch_size)
    as_published = look(network, x, estimator, batch_size, published=True)
    with torch.no_grad():
        potentials = network.eval().potentials(x)[:-1]
    assert [layer.name for layer in layers] == [name for name, _ in potentials]
    for layer, published, (_, z) in zip(layers, as_published, potentials, strict=True):
        assert layer.signs.observed.size == z.shape[1]
        assert layer.entropy == pytest.approx(layer_entropy(z, estimator), abs=1e-12)
        assert published.entropy == pytest.approx(published_entropy(z, estimator, batch_size), abs=1e-12)


@pytest.mark.parametrize(("estimator", "bits"), [("egp", 0.811278), ("nepenthe", 1.0), ("easier", 0.811278)])
def test_worked_case_of_the_dont_care_state(estimator: str, bits: float) -> None:
    assert layer_of(CASE, estimator).entropy == pytest.approx(bits, abs=5e-7)


@pytest.mark.parametrize(("estimator", "bits"), [("egp", 1.0), ("nepenthe", 0.5), ("easier", 0.5)])
def test_constant_neurons_count_in_all_means_but_egps(estimator: str, bits: float) -> None:
    layer = layer_of(torch.tensor([[1.0, 1], [-1, 1]]), estimator)
    assert layer.entropy == bits


@pytest.mark.parametrize(
    ("estimator", "always_on", "always_off"), [("egp", 1, 3), ("nepenthe", 2, 3), ("easier", 3, 1)]
)
def test_what_zero_counts_as(estimator: str, always_on: int, always_off: int) -> None:
    """Channels: positive, negative, zero, zero or positive, zero or negative; a rectifier does nothing to any."""
    layer = layer_of(torch.tensor([[1.0, -1, 0, 1, -1], [1, -1, 0, 0, 0]]), estimator)
    summary = layer.summary()
    assert (summary["neurons"], summary["always_on"], summary["always_off"]) == (5, always_on, always_off)
    assert summary["removable"]
    assert (summary["entropy"] == 0) == (estimator == "nepenthe")


@pytest.mark.parametrize("estimator", PUBLISHED)
def test_all_zero_has_no_entropy(estimator: str) -> None:
    layer = layer_of(torch.zeros(4, 3), estimator)
    assert layer.entropy == 0.0
    assert layer.summary()["always_on"] == (3 if estimator == "easier" else 0)


def test_published_clamp_is_inside_the_logarithm() -> None:
    signs = Signs(negative=np.array([10**7 - 1]), zero=np.array([0]), positive=np.array([1]))
    p = 1e-7
    rest = -(1 - p) * np.log2(1 - p)
    for name, clamp in {"egp": 1e-5, "easier": p}.items():
        assert ESTIMATORS[name]().published_entropy(signs) == pytest.approx(rest - p * np.log2(clamp), rel=1e-9)


@pytest.mark.parametrize("estimator", PUBLISHED)
def test_published_form_is_too_low_for_small_batches(estimator: str) -> None:
    x, _ = data(60)
    torch.manual_seed(0)
    network = ConvNet()
    whole = look(network, x, estimator, 60, published=True)
    ones = look(network, x, estimator, 1, published=True)
    assert whole[1].entropy == pytest.approx(look(network, x, estimator)[1].entropy, abs=1e-4)
    assert ones[1].entropy == 0.0  # one example, one position: one state


@settings(max_examples=20, deadline=None)
@given(batch_size=st.integers(1, 40), examples=st.integers(1, 30), seed=st.integers(0, 5))
def test_nothing_depends_on_batches_or_order(batch_size: int, examples: int, seed: int) -> None:
    torch.manual_seed(seed)
    network = ConvNet()
    x, _ = data(examples, seed=seed)
    for estimator in ESTIMATORS:
        found = look(network, x, estimator, batch_size)
        expected = look(network, x[torch.randperm(examples)], estimator, examples)
        for layer, other in zip(found, expected, strict=True):
            assert layer.entropy == other.entropy
            for sign in ("negative", "zero", "positive"):
                np.testing.assert_array_equal(getattr(layer.signs, sign), getattr(other.signs, sign))


def test_easier_takes_the_lowest_and_the_others_those_at_zero() -> None:
    entropies = {"a": 0.5, "b": 0.25, "c": 0.25}
    assert ESTIMATORS["easier"]().removes(entropies) == ["b"]
    assert ESTIMATORS["egp"]().removes(entropies) == []
    for name in PUBLISHED:
        assert ESTIMATORS[name]().removes({"a": 0.0, "b": 0.5, "c": 0.0}) == ["a", "c"]


def test_weight_of_two_activations_is_counted_once() -> None:
    torch.manual_seed(0)
    layers = look(Shared(), data()[0], "egp")
    assert [layer.weight.name for layer in layers if layer.weight] == ["embed.weight", "fc.weight", "fc.weight"]
    planned = budgets(layers, 0.5)
    assert set(planned) == {"embed", "fc"}
    assert (64 * 6 + 6 * 6) / 2 - 2 <= sum(planned.values()) <= (64 * 6 + 6 * 6) / 2


def test_model_and_data_are_untouched() -> None:
    torch.manual_seed(0)
    network, (x, _) = ResNet().train(), data()
    network.layer1[0].eval()  # a mixture of modes is what must come back
    modes = [module.training for module in network.modules()]
    state = {name: value.clone() for name, value in network.state_dict().items()}
    original, generator = x.clone(), torch.get_rng_state()
    look(network, x, "egp")
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert torch.equal(x, original)
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(parameter.grad is None for parameter in network.parameters())


def test_networks_that_cannot_be_measured_are_refused() -> None:
    class Fickle(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.relu() if x.sum() > 0 else x.tanh().relu()

    with pytest.raises(BadInput, match="in one batch"):
        look(Fickle(), torch.tensor([[1.0], [1], [-1], [-1]]), "egp", batch_size=2)
    with pytest.raises(BadInput, match="NaN"):
        look(nn.Sequential(nn.ReLU(), nn.Linear(1, 1)), CASE * torch.nan, "egp")

    class Forgiving(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.relu().nan_to_num()

    with pytest.raises(BadInput, match="potentials are NaN"):
        look(Forgiving(), CASE * torch.nan, "egp")
