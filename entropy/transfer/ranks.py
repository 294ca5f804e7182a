"""Rank correlation of two numbers over checkpoints, with an interval; equal numbers share a rank."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from minima.zoo.seeds import derive

Floats = NDArray[np.float64]

FEWEST = 4
"""checkpoints that a correlation is computed over"""
RESAMPLES = 1000
DECIMALS = 12
"""numbers that agree in so many decimals are equal: what differs beyond is rounding"""


def ranks(values: Sequence[float | None]) -> list[int | None]:
    """1 for the highest; equal values share the better rank; None for what was not measured.

    >>> ranks([0.081, 1.0, None, 0.811, 1.0])
    [4, 1, None, 3, 1]
    """
    rounded = [None if value is None else round(value, DECIMALS) for value in values]
    known = [value for value in rounded if value is not None]
    return [None if value is None else 1 + sum(other > value for other in known) for value in rounded]


def rank_correlation(x: ArrayLike, y: ArrayLike, seed: int) -> dict[str, dict[str, float]]:
    """Kendall's tau-b and Spearman's rho of x (n,) and y (n,), which account for ties, each with a 95 % interval.

    The interval is the bootstrap's percentiles over `RESAMPLES` draws of n checkpoints; draws without any difference
    in x or y say nothing. NaN where all x or all y are equal.

    >>> found = rank_correlation([1, 2, 3, 4, 5], [1, 2, 3, 5, 4], seed=0)
    >>> round(found["kendall"]["value"], 6), round(found["spearman"]["value"], 6)
    (0.8, 0.9)
    """
    x, y = np.round(np.asarray(x, dtype=float), DECIMALS), np.round(np.asarray(y, dtype=float), DECIMALS)
    draws = np.random.default_rng(derive(seed, "bootstrap")).integers(len(x), size=(RESAMPLES, len(x)))
    return {name: _with_interval(coefficient, x, y, draws) for name, coefficient in COEFFICIENTS.items()}


def _with_interval(
    coefficient: Callable[[Floats, Floats], float], x: Floats, y: Floats, draws: NDArray[np.int64]
) -> dict[str, float]:
    drawn = np.array([coefficient(x[draw], y[draw]) for draw in draws])
    drawn = drawn[np.isfinite(drawn)]
    low, high = np.percentile(drawn, [2.5, 97.5]) if drawn.size else (np.nan, np.nan)
    return {"value": coefficient(x, y), "low": float(low), "high": float(high)}


def _kendall(x: Floats, y: Floats) -> float:
    from scipy.stats import kendalltau

    return np.nan if _constant(x, y) else float(kendalltau(x, y, method="asymptotic").statistic)


def _spearman(x: Floats, y: Floats) -> float:
    from scipy.stats import rankdata

    return np.nan if _constant(x, y) else float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])


def _constant(*values: Floats) -> bool:
    return any(np.ptp(each) == 0 for each in values)


COEFFICIENTS = {"kendall": _kendall, "spearman": _spearman}
