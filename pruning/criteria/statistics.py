"""Rank correlations and spread of scores, and what the spread is where the weights are a Gaussian's."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FEWEST = 3
"""units that a rank correlation or a spread is of: two units always rank alike or opposite"""
MANY = 100
"""weights from which on the difference of two log gammas has fewer digits than a series"""


def spearman(scores: Floats) -> Floats:
    """(criteria, criteria): Spearman's rank correlation over units, of scores (criteria, units); ties share a rank.

    NaN where a criterion has no scores or gives all units the same, and of fewer than three units.

    >>> spearman(np.array([[1.0, 2, 3, 4], [8.0, 6, 4, 2], [5.0, 5, 5, 5]])).tolist()
    [[1.0, -1.0, nan], [-1.0, 1.0, nan], [nan, nan, nan]]
    """
    from scipy.stats import rankdata

    found = np.full((len(scores), len(scores)), np.nan)
    if scores.shape[1] < FEWEST:
        return found
    ranks = rankdata(scores, axis=1)
    centred = ranks - ranks.mean(1, keepdims=True)
    norms = np.sqrt((centred**2).sum(1))
    told = np.isfinite(scores).all(1) & (norms > 0)
    own = centred[told] / norms[told, None]
    found[np.ix_(told, told)] = np.clip((own @ own.T).round(15), -1, 1)
    return found


def variation(scores: Floats) -> Floats:
    """(criteria,): standard deviation (with n - 1) / mean of scores (criteria, units): how far apart a criterion sets
    the units. NaN where the mean is not above 0, and of fewer than three units.

    >>> variation(np.array([[1.0, 2, 3], [-1.0, 0, 1]])).tolist()
    [0.5, nan]
    """
    if scores.shape[1] < FEWEST:
        return np.full(len(scores), np.nan)
    mean = scores.mean(1)
    usable = np.where(mean > 0, mean, np.nan)
    return np.asarray(scores.std(1, ddof=1) / usable, dtype=np.float64)


def l1_variation(weights: int) -> float:
    """The coefficient of variation of the l1 norm of d independent Gaussians of mean 0: sqrt((pi/2 - 1) / d).

    >>> round(l1_variation(100), 6)
    0.075551
    """
    return math.sqrt((math.pi / 2 - 1) / weights)


def l2_variation(weights: int) -> float:
    """The same of the l2 norm: sqrt(d Gamma(d/2)^2 / (2 Gamma((d+1)/2)^2) - 1), close to 1 / sqrt(2 d).

    Of one weight it is the l1 norm.

    >>> round(l2_variation(100), 6), l2_variation(1) == l1_variation(1)
    (0.070799, True)
    """
    if weights == 1:
        return l1_variation(1)
    if weights >= MANY:
        d = float(weights)
        mean = -1 / (4 * d) + 1 / (32 * d**2) + 5 / (128 * d**3) - 21 / (2048 * d**4)  # of chi_d / sqrt(d), less 1
        return math.sqrt(math.expm1(-2 * math.log1p(mean)))
    log_square = math.log(weights / 2) + 2 * (math.lgamma(weights / 2) - math.lgamma((weights + 1) / 2))
    return math.sqrt(math.expm1(log_square))


GAUSSIAN_VARIATION = {"l1": l1_variation, "l2": l2_variation}
"""criteria whose spread is known in closed form"""


def slope(weights: Floats, spreads: Floats) -> tuple[float, float, int]:
    """Least-squares slope of log spread on log d over layers, its standard error, and how many layers it is of.

    NaN with fewer than three layers, or where all have one d.

    >>> d = np.array([10.0, 100, 1000])
    >>> [round(each, 6) for each in slope(d, d**-0.5)]
    [-0.5, 0.0, 3]
    """
    usable = np.isfinite(spreads) & (spreads > 0)
    x, y = np.log(weights[usable]), np.log(spreads[usable])
    if len(x) < FEWEST or np.ptp(x) == 0:
        return math.nan, math.nan, len(x)
    x = x - x.mean()
    found = float(x @ y / (x @ x))
    rest = y - y.mean() - found * x
    return found, math.sqrt(float(rest @ rest) / (len(x) - 2) / float(x @ x)), len(x)
