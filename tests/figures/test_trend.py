"""Page's test against a hand computation and against every order there could have been."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from figures.statistics.trend import page


def every_page(ranks):
    """L for each way to order the ranks within each row."""
    k = len(ranks[0])
    rows = [[sum(j * r for j, r in enumerate(order, 1)) for order in permutations(row)] for row in ranks]
    assert all(len(row) == np.prod(range(1, k + 1)) for row in rows)
    return np.array([sum(each) for each in product(*rows)])


@pytest.mark.parametrize(
    "values",
    [
        [[1.0, 2.0, 3.0], [1.5, 7.0, 8.0], [0.3, 0.2, 0.4]],
        [[9.0, 2.0, 1.0], [5.0, 4.0, 3.0], [0.1, 0.3, 0.2], [3.0, 2.0, 1.0]],
        [[0.1, 0.4, 0.3, 0.9], [5.0, 6.0, 8.0, 7.0]],
        [[2.0, 1.0, 3.0], [2.0, 3.0, 1.0]],
    ],
)
def test_p_is_that_of_all_permutations(values):
    ranks = np.argsort(np.argsort(values, axis=1), axis=1) + 1
    null = every_page(ranks.tolist())
    found = page(values)
    assert found.statistic == (ranks @ np.arange(1, ranks.shape[1] + 1)).sum()
    assert found.effect == pytest.approx(found.statistic - null.mean())
    tails = (null >= found.statistic).mean(), (null <= found.statistic).mean()
    assert found.p == pytest.approx(min(1.0, 2 * min(tails)))


def test_by_hand():
    """Three seeds, ranks 1 2 3, 1 3 2 and, two being equal, 1.5 1.5 3: rank sums 3.5, 6.5, 8; L = 3.5 + 13 + 24."""
    found = page([[0.1, 0.2, 0.3], [10.0, 30.0, 20.0], [5.0, 5.0, 6.0]])
    assert (found.n, found.statistic, found.effect) == (3, 40.5, 40.5 - 36)
    assert found.medians == (5.0, 5.0, 6.0)
    assert found.mean_ranks == pytest.approx((3.5 / 3, 6.5 / 3, 8 / 3))
    assert found.steps == pytest.approx((0.1, 0.1 - 0.0))


def test_an_order_and_its_reverse_are_as_unlikely():
    values = np.random.default_rng(0).normal(size=(8, 4)) + np.arange(4)
    up, down = page(values), page(values[:, ::-1])
    assert up.p == down.p < 0.01
    assert up.effect == -down.effect > 0


def test_a_significant_trend_shows_the_neighbours_that_are_not_in_order():
    found = page(np.arange(10)[:, None] + np.array([0.0, 2.0, 1.0, 3.0, 4.0]))
    assert found.p < 0.001
    assert found.steps == (2.0, -1.0, 2.0, 1.0)


def test_no_order_and_too_few_seeds():
    assert page(np.zeros((5, 3))).p == 1.0
    assert np.isnan(page([[1.0, 2.0, 3.0]]).p)
    assert page(np.empty((0, 3))).n == 0
