"""Entropy-guided pruning's budget: the worked case, equal counts, nothing for no entropy, never more than there is."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entropy.layers.budget import layer_budget

IMPORTANCE = st.one_of(st.just(0.0), st.floats(1e-9, 1e3), st.just(5e-324))


def test_worked_case() -> None:
    importance = {layer: entropy * 0.1 for layer, entropy in zip("abc", (1, 0.5, 0.1), strict=True)}
    assert layer_budget(importance, dict.fromkeys("abc", 1000), 0.5) == {"a": 91, "b": 408, "c": 1000}


def test_first_round_without_a_cap() -> None:
    """Scores 1.5 and 3: shares 1 / (1 + e^1.5) and the rest."""
    found = layer_budget({"a": 0.2, "b": 0.1}, {"a": 10_000, "b": 10_000}, 0.1)
    share = 1 / (1 + math.exp(1.5))
    assert found == {"a": math.floor(2000 * share), "b": math.floor(2000 * (1 - share))}


def test_equal_importance_is_equal_counts() -> None:
    assert layer_budget(dict.fromkeys("ab", 0.3), {"a": 1000, "b": 9000}, 0.1) == {"a": 500, "b": 500}


def test_layers_of_no_importance_or_without_weights_take_no_part() -> None:
    found = layer_budget({"a": 0.0, "b": 1.0, "c": 1.0}, {"a": 10_000, "b": 100, "c": 0}, 0.5)
    assert found == {"a": 0, "b": 50, "c": 0}
    assert layer_budget({"a": 0.0}, {"a": 10}, 0.5) == {"a": 0}
    assert layer_budget({}, {}, 0.5) == {}


@pytest.mark.parametrize("zeta", [-0.1, 1.1, math.nan])
def test_a_fraction_is_between_0_and_1(zeta: float) -> None:
    with pytest.raises(ValueError, match="zeta"):
        layer_budget({"a": 1.0}, {"a": 1}, zeta)


@given(st.lists(st.tuples(IMPORTANCE, st.integers(0, 10**7)), max_size=8), st.floats(0, 1))
def test_never_more_than_there_is(layers: list[tuple[float, int]], zeta: float) -> None:
    importance = {str(index): value for index, (value, _) in enumerate(layers)}
    left = {str(index): count for index, (_, count) in enumerate(layers)}
    found = layer_budget(importance, left, zeta)
    part = sum(left[layer] for layer in left if importance[layer] > 0)
    assert set(found) == set(left)
    assert all(0 <= found[layer] <= left[layer] for layer in left)
    assert all(found[layer] == 0 for layer in left if importance[layer] == 0)
    assert sum(found.values()) <= zeta * part * (1 + 1e-12)
    # whole numbers: what is missing to zeta N is less than one weight for each layer
    assert sum(found.values()) >= zeta * part * (1 - 1e-12) - len(layers)


@given(st.lists(st.integers(1, 1000), min_size=2, max_size=6), st.floats(0, 1))
def test_less_important_layers_lose_at_least_as_much(importance: list[int], zeta: float) -> None:
    names = {str(index): float(value) for index, value in enumerate(importance)}
    found = layer_budget(names, dict.fromkeys(names, 1000), zeta)
    ordered = sorted(names, key=lambda layer: names[layer])
    counts = [found[layer] for layer in ordered]
    assert counts == sorted(counts, reverse=True)
