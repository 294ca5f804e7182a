"""Paired statistics of the study's protocol: median with interval, exact Wilcoxon, equivalence, Holm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Paired:
    """Differences of pairs, summed up. NaN where there are too few pairs to say."""

    n: int
    median: float
    low: float
    high: float
    coverage: float
    """exact probability that [low, high] holds the true median: at least 0.95, or NaN"""
    p: float
    """two-sided exact Wilcoxon signed-rank test against 0"""
    p_equivalent: float
    """the larger of the two one-sided tests against the margin (TOST)"""
    deviation: float = np.nan
    """standard deviation of the differences"""

    @property
    def effect(self) -> float:
        """What the verdict's sign is taken from: the median."""
        return self.median


def paired(differences: ArrayLike, margin: float = np.nan) -> Paired:
    """Sum up differences of pairs; a difference that is NaN is a pair that was not measured.

    >>> s = paired([0.5, 1.0, 1.5, 2.0, 2.5, 3.0], margin=5.0)
    >>> s.n, s.median, s.low, s.high, s.p, s.p_equivalent
    (6, 1.75, 0.5, 3.0, 0.03125, 0.015625)
    """
    d = np.asarray(differences, dtype=float).ravel()
    d = d[np.isfinite(d)]
    low, high, coverage = median_interval(d)
    median = float(np.median(d)) if d.size else np.nan
    deviation = float(d.std(ddof=1)) if d.size > 1 else np.nan
    return Paired(int(d.size), median, low, high, coverage, wilcoxon(d), equivalence(d, margin), deviation)


def median_interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float, float]:
    """Distribution-free interval of the median: the narrowest pair of order statistics with at least `level`.

    The median lies between the k-th smallest and k-th largest of n values with probability
    1 - 2 P(Binomial(n, 1/2) < k). Returns (low, high, that probability), NaN with fewer than six values at 95 %.

    >>> low, high, coverage = median_interval(range(1, 13))
    >>> low, high, round(coverage, 4)
    (3.0, 10.0, 0.9614)
    """
    from scipy.stats import binom

    x = np.sort(np.asarray(values, dtype=float))
    ranks = np.arange(1, x.size // 2 + 1)
    coverage = 1 - 2 * binom.cdf(ranks - 1, x.size, 0.5)
    enough = np.flatnonzero(coverage >= level)
    if not enough.size:
        return np.nan, np.nan, np.nan
    k = enough[-1]
    return float(x[k]), float(x[-1 - k]), float(coverage[k])


def wilcoxon(differences: ArrayLike, alternative: str = "two-sided") -> float:
    """Exact p of Wilcoxon's signed-rank test; zeros are left out. 1 where every difference is zero, NaN without any.

    The null distribution is that of all 2^n sign patterns of the ranks at hand, also where sizes are equal.

    >>> wilcoxon([1, 2, 3, 4, 5, 6, 7, 8]), wilcoxon([1.0, 2.0, -3.0], "greater")
    (0.0078125, 0.625)
    """
    from scipy.stats import rankdata

    d = np.asarray(differences, dtype=float)
    if not d.size:
        return np.nan
    d = d[d != 0]
    ranks = np.rint(2 * rankdata(np.abs(d))).astype(int)  # twice: the mean rank of equal sizes may end in a half
    chance = np.ones(1)
    for rank in ranks:
        chance = np.convolve(chance, np.concatenate([[0.5], np.zeros(rank - 1), [0.5]]))
    positive = int(ranks[d > 0].sum())
    above, below = float(chance[positive:].sum()), float(chance[: positive + 1].sum())
    return {"greater": above, "less": below, "two-sided": min(1.0, 2 * min(above, below))}[alternative]


def equivalence(differences: ArrayLike, margin: float) -> float:
    """p of equivalence within +-margin: the larger of the one-sided tests of d > -margin and of d < margin.

    >>> equivalence([0.1, -0.1, 0.05, -0.02, 0.01], margin=0.5)
    0.03125
    """
    d = np.asarray(differences, dtype=float)
    if not np.isfinite(margin) or not d.size:
        return np.nan
    return max(wilcoxon(d + margin, "greater"), wilcoxon(d - margin, "less"))


def holm(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Holm's step-down adjustment; a NaN is no member of the family and stays NaN.

    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=float)
    adjusted = np.full(p.shape, np.nan)
    members = np.flatnonzero(np.isfinite(p))
    order = members[np.argsort(p[members], kind="stable")]
    factors = np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * factors)) if order.size else []
    return adjusted


def slope(values: ArrayLike, x: ArrayLike) -> NDArray[np.float64]:
    """Least-squares slope of each row of `values` (rows, points) on x (points); NaN where a point is missing.

    >>> slope([[1.0, 3.0, 5.0], [2.0, 2.0, 2.0]], [0.0, 1.0, 2.0]).tolist()
    [2.0, 0.0]
    """
    y, x = np.asarray(values, dtype=float), np.asarray(x, dtype=float)
    from_mean = x - x.mean()
    return np.asarray((y * from_mean).sum(axis=1) / (from_mean**2).sum())
