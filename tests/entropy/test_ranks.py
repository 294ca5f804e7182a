"""Ranks and rank correlations: the specification's three extractors, ties, numbers that nothing can be said of."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from entropy.information.layer import network_mean
from entropy.information.measurement import measure
from entropy.transfer.ranks import rank_correlation, ranks


def extractor(p_on: float, units: int = 6) -> nn.Module:
    """Frozen units that are on for the fraction `p_on` of numbers spread evenly over (0, 1)."""
    network = nn.Sequential(nn.Linear(1, units), nn.ReLU(), nn.Linear(units, 1))
    with torch.no_grad():
        network[0].weight.fill_(1)
        network[0].bias.fill_(p_on - 1)
    return network


def entropy_of(p_on: float) -> float:
    x = (torch.arange(200) + 0.5)[:, None] / 200
    layers, _ = measure(extractor(p_on), x, torch.zeros(200, dtype=torch.int64), 1)
    return network_mean(layers)


def test_three_frozen_extractors_in_the_order_of_the_specification() -> None:
    entropies = [entropy_of(p) for p in (0.01, 0.5, 0.25)]
    assert entropies == pytest.approx([0.081, 1.0, 0.811], abs=5e-4)
    assert ranks(entropies) == [3, 1, 2]


def test_tied_entropies_share_a_rank() -> None:
    assert ranks([entropy_of(p) for p in (0.25, 0.5, 0.75, 0.01)]) == [2, 1, 2, 4]  # h(1/4) = h(3/4)


@pytest.mark.parametrize("ties", [False, True])
def test_both_coefficients_are_scipys(ties: bool) -> None:
    from scipy.stats import kendalltau, spearmanr

    chance = np.random.default_rng(0)
    x = chance.normal(size=12)
    y = x + chance.normal(size=12)
    if ties:
        x, y = np.round(x), np.round(y)
    found = rank_correlation(x, y, seed=0)
    assert found["kendall"]["value"] == pytest.approx(kendalltau(x, y).statistic)
    assert found["spearman"]["value"] == pytest.approx(spearmanr(x, y).statistic)
    for coefficient in found.values():
        assert -1 <= coefficient["low"] < coefficient["value"] < coefficient["high"] <= 1
    assert rank_correlation(x, y, seed=0) == found


def test_the_interval_covers_as_it_says() -> None:
    """Of normal pairs with correlation 0.6, tau is 2 / pi asin 0.6; 95 % of the intervals hold it, or nearly."""
    truth, chance = 2 / np.pi * np.arcsin(0.6), np.random.default_rng(1)
    held = 0
    for trial in range(10):
        x, noise = chance.normal(size=(2, 30))
        tau = rank_correlation(x, 0.6 * x + 0.8 * noise, trial)["kendall"]
        held += tau["low"] <= truth <= tau["high"]
    assert held >= 8


def test_nothing_can_be_said_of_equal_numbers() -> None:
    found = rank_correlation([1, 1, 1, 1], [1, 2, 3, 4], seed=0)
    assert all(np.isnan(value) for each in found.values() for value in each.values())
