"""Page's test for an order: do the values of several arms rise one after the other?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Trend:
    """Arms in the order expected, summed up over seeds. NaN where there are too few seeds to say."""

    n: int
    medians: tuple[float, ...]
    """of each arm"""
    mean_ranks: tuple[float, ...]
    """of each arm among all of them: 1 (lowest) to their number"""
    steps: tuple[float, ...]
    """median of the paired differences, each arm minus the one before it"""
    statistic: float
    """Page's L: the sum over arms of place in the order times sum of ranks"""
    effect: float
    """L minus its expectation where there is no trend"""
    p: float
    """two-sided"""

    low = high = p_equivalent = np.nan
    """an order has no size: no interval holds it, and no margin is small beside it"""


def page(values: ArrayLike) -> Trend:
    """Page's L test that the columns rise from first to last; `values`: (seeds, arms), the arms in the order expected.

    L = sum over j of j R_j, with R_j the sum over seeds of the rank of arm j within its seed (equal values share their
    mean rank); n k (k + 1)^2 / 4 is expected of n seeds and k arms without a trend. p = min(1, 2 min(p of the order,
    p of its reverse)), exact where no values are equal. A significant trend is no full order: see `steps`.

    Source: Page 1963, Ordered hypotheses for multiple treatments.

    >>> t = page([[1, 2, 3], [1, 2, 3], [1, 3, 2], [1, 2, 3]])
    >>> t.statistic, t.effect, t.mean_ranks, round(t.p, 5)
    (55.0, 7.0, (1.0, 2.25, 2.75), 0.01389)
    """
    from scipy.stats import page_trend_test, rankdata

    x = np.asarray(values, dtype=float)
    n, k = x.shape
    ranks = rankdata(x, axis=1)
    found = float((ranks.sum(axis=0) * np.arange(1, k + 1)).sum())
    p = np.nan
    if n > 1:
        p = min(1.0, *(2 * float(page_trend_test(each, method="exact").pvalue) for each in (x, x[:, ::-1])))
    medians, mean_ranks, steps = (
        tuple(over(each, axis=0).tolist()) if n else (np.nan,) * each.shape[1]
        for over, each in ((np.median, x), (np.mean, ranks), (np.median, np.diff(x, axis=1)))
    )
    return Trend(n, medians, mean_ranks, steps, found, found - n * k * (k + 1) ** 2 / 4, p)
