"""Statistics against enumeration, quadrature-free binomials and examples worked by hand."""

from __future__ import annotations

from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from figures.statistics.correlation import kendall, within_cells
from figures.statistics.matching import match
from figures.statistics.paired import equivalence, holm, median_interval, paired, wilcoxon
from figures.statistics.power import detectable, power


def enumerated_wilcoxon(d, alternative="two-sided"):
    """All 2^n sign patterns of the average ranks of |d|, zeros left out."""
    d = np.asarray([value for value in d if value != 0])
    if not d.size:
        return 1.0
    sizes = np.abs(d)
    ranks = np.array([(sizes < s).sum() + ((sizes == s).sum() + 1) / 2 for s in sizes])
    observed = ranks[d > 0].sum()
    null = np.array([(ranks * signs).sum() for signs in product((0, 1), repeat=d.size)])
    above, below = (null >= observed - 1e-9).mean(), (null <= observed + 1e-9).mean()
    return {"greater": above, "less": below, "two-sided": min(1.0, 2 * min(above, below))}[alternative]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-4, 4), min_size=1, max_size=8), st.sampled_from(["two-sided", "greater", "less"]))
def test_wilcoxon_with_ties_and_zeros_is_the_enumeration(d, alternative):
    assert wilcoxon(d, alternative) == pytest.approx(enumerated_wilcoxon(d, alternative), abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-10, 10).filter(lambda v: abs(v) > 1e-6), min_size=1, max_size=9, unique_by=abs))
def test_wilcoxon_without_ties_is_the_enumeration(d):
    assert wilcoxon(d) == pytest.approx(enumerated_wilcoxon(d), abs=1e-12)


def test_smallest_p_of_the_protocol():
    """Three seeds cannot go below 0.25, eight reach 1/128, twelve 1/2048."""
    assert [wilcoxon(range(1, n + 1)) for n in (3, 8, 12)] == [0.25, 1 / 128, 1 / 2048]


def test_wilcoxon_of_nothing_and_of_no_difference():
    assert np.isnan(wilcoxon([]))
    assert wilcoxon([0.0, 0.0]) == 1.0


@pytest.mark.parametrize("n", [6, 8, 12, 15])
def test_median_interval_is_the_narrowest_that_covers(n):
    low, high, coverage = median_interval(np.arange(1.0, n + 1))
    k = int(low)
    assert high == n + 1 - k
    outside = [2 * sum(comb(n, i) for i in range(rank)) / 2**n for rank in (k, k + 1)]
    assert coverage == pytest.approx(1 - outside[0])
    assert 1 - outside[0] >= 0.95 > 1 - outside[1]


def test_median_interval_needs_six_values():
    assert np.isnan(median_interval([1.0, 2.0, 3.0, 4.0, 5.0])).all()


def test_median_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    samples = rng.exponential(size=(4000, 12))
    hits = [low <= np.log(2) <= high for low, high, _ in map(median_interval, samples)]
    assert np.mean(hits) == pytest.approx(0.9614, abs=0.01)


def test_equivalence_is_two_one_sided_tests():
    d = [0.1, -0.2, 0.3, -0.4, 0.05, 0.6]
    by_hand = max(
        enumerated_wilcoxon([v + 0.5 for v in d], "greater"), enumerated_wilcoxon([v - 0.5 for v in d], "less")
    )
    assert equivalence(d, 0.5) == pytest.approx(by_hand)
    assert np.isnan(equivalence(d, np.nan))


def test_paired_leaves_out_what_was_not_measured():
    summary = paired([1.0, np.nan, 2.0, 3.0])
    assert (summary.n, summary.median, summary.p) == (3, 2.0, 0.25)
    assert np.isnan(summary.p_equivalent)
    assert paired([np.nan]).n == 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_the_closed_test_of_bonferroni(p):
    """Closure: adjusted p_i = largest Bonferroni p over all families that hold i."""
    by_closure = [
        min(1.0, max(k * min(family) for k in range(1, len(p) + 1) for family in _families(p, i, k)))
        for i in range(len(p))
    ]
    assert holm(p) == pytest.approx(by_closure)


def _families(p, member, size):
    others = [value for i, value in enumerate(p) if i != member]
    return [(p[member], *rest) for rest in combinations(others, size - 1)]


def test_holm_leaves_out_what_was_not_measured():
    adjusted = holm([0.01, np.nan, 0.04])
    assert adjusted[[0, 2]] == pytest.approx([0.02, 0.04])
    assert np.isnan(adjusted[1])


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=10))
def test_kendall_is_scipys(points):
    from scipy.stats import kendalltau

    x, y = zip(*points, strict=True)
    assert kendall(x, y) == pytest.approx(kendalltau(x, y).statistic, nan_ok=True)


def test_within_cells_is_not_fooled_by_pooling():
    """Within each cell y falls with x; between cells both rise: pooled they look positively related."""
    seeds = np.tile(np.arange(6), 3)
    cell = np.repeat([0, 1, 2], 6)
    x, y = 10 * cell + seeds, 10 * cell - seeds
    result = within_cells(cell.tolist(), seeds, x, y, resamples=200)
    assert kendall(x, y) > 0.3
    assert result.mean == -1
    assert (result.low, result.high) == (-1, -1)


def test_the_bootstrap_draws_seeds_whole():
    """The same numbers in three cells are one piece of evidence: the interval must not shrink."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 12))
    alone = within_cells(["a"] * 12, range(12), x, y, resamples=500)
    thrice = within_cells(list("abc") * 12, np.repeat(range(12), 3), np.repeat(x, 3), np.repeat(y, 3), resamples=500)
    assert (thrice.low, thrice.high) == pytest.approx((alone.low, alone.high))


def test_matching_meets_a_power_law_and_refuses_to_extrapolate():
    losses = np.array([3.0, 1.0, 0.4])
    matched = match(losses, 5 * losses**1.5, losses * 0.8, 10 * (losses * 0.8) ** 1.5)
    assert matched.log_ratio == pytest.approx(np.log(2))
    assert np.isnan(match([3.0, 2.0], [1.0, 1.0], [1.0, 0.5], [1.0, 1.0]).log_ratio)
    assert np.isnan(match([], [], [1.0], [1.0]).loss)


@pytest.mark.parametrize("sizes", [np.arange(1.0, 9), np.array([1, 1, 2, 2, 2, 3, 5, 5.0]), np.full(8, 0.5)])
def test_over_all_flips_of_signs_p_is_no_smaller_than_it_says(sizes):
    """P(p <= a) <= a for every a, over the 256 sign patterns that are as likely where there is no effect."""
    p = np.array([wilcoxon(sizes * signs) for signs in product((-1, 1), repeat=len(sizes))])
    for level in np.unique(p):
        assert np.mean(p <= level) <= level + 1e-12


@pytest.mark.parametrize(("pairs", "members"), [(6, 1), (8, 6), (8, 5)])
def test_power_where_every_sign_must_agree_is_the_closed_form(pairs, members):
    """There the test finds an effect only if all differences have one sign: Phi(e)^n + Phi(-e)^n."""
    for effect in (0.0, 1.0, 2.0):
        exact = norm.cdf(effect) ** pairs + norm.cdf(-effect) ** pairs
        assert power(effect, pairs, members) == pytest.approx(exact, abs=0.01)
    assert norm.cdf(detectable(pairs, members)) ** pairs == pytest.approx(0.8, abs=0.01)


def test_power_of_a_single_test_is_the_share_of_simulated_studies():
    drawn = np.random.default_rng(5).normal(1.25, 1, (400, 8))
    found = np.mean([wilcoxon(d) < 0.05 for d in drawn])
    assert power(1.25, 8) == pytest.approx(found, abs=0.06)
    assert np.isnan(detectable(6, 2)), "1/32 twice is above 0.05"
