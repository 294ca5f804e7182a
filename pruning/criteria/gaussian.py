"""Tests of the convolutional weight distribution assumption (Huang et al. 2021) on one layer's weights.

The assumption: the filters of a trained layer are draws of a Gaussian whose covariance is nearly diagonal. Of it three
consequences are tested, each under the hypothesis that weights are independent: that all weights of a layer are draws
of one Gaussian, that its mean is 0, and that all filters have the same variance. The paper's own list of tests could
not be read; these are the ones that follow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FEWEST = 8
"""weights below which the null distribution of the test is not known well"""
LARGEST = 13.0
"""of the statistic: beyond, the p value is below 1e-30 and given as 0"""


@dataclass(frozen=True)
class Gaussianity:
    """What tests and moments say of a layer's weights; NaN where there are too few weights, or all are equal."""

    gaussian_p: float
    mean_p: float
    variance_p: float
    skewness: float
    excess_kurtosis: float


def gaussianity(units: Sequence[Floats]) -> Gaussianity:
    """Test the weights of a layer, given for each unit as an array of its own length."""
    from scipy import stats

    values = np.concatenate([*units, np.empty(0)])
    if len(values) < FEWEST or np.ptp(values) == 0:
        return Gaussianity(*[math.nan] * 5)
    several = [own for own in units if len(own) > 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        equal = stats.levene(*several, center="median").pvalue if len(several) > 1 else math.nan
    return Gaussianity(
        anderson_darling_p(values),
        float(stats.ttest_1samp(values, 0).pvalue),
        float(equal),
        float(stats.skew(values)),
        float(stats.kurtosis(values)),
    )


def anderson_darling(values: Floats) -> float:
    """A^2 = -n - sum_i (2i - 1) / n [log F(z_i) + log(1 - F(z_{n+1-i}))] of n values, z being these in ascending order,
    standardised by their own mean and standard deviation (with n - 1), and F the standard Gaussian's distribution.

    >>> round(anderson_darling(np.arange(1.0, 11)), 5)
    0.14111
    """
    from scipy.special import log_ndtr

    count = len(values)
    z = np.sort((values - values.mean()) / values.std(ddof=1))
    ranks = 2 * np.arange(1, count + 1) - 1
    return float(-count - (ranks * (log_ndtr(z) + log_ndtr(-z[::-1]))).sum() / count)


def anderson_darling_p(values: Floats) -> float:
    """The p value of A^2 where mean and variance are estimated from the same values (Lilliefors' case): by the formula
    of D'Agostino and Stephens (1986, table 4.9) for A^2 (1 + 0.75 / n + 2.25 / n^2), good to two digits near 0.05.

    A distribution known beforehand would make the same statistic far less striking: at A^2 = 0.75 the p value is 0.05
    here and 0.5 there.
    """
    count = len(values)
    found = anderson_darling(values) * (1 + 0.75 / count + 2.25 / count**2)
    if found >= LARGEST:
        return 0.0
    if found >= 0.6:
        return math.exp(1.2937 - 5.709 * found + 0.0186 * found**2)
    if found >= 0.34:
        return math.exp(0.9177 - 4.279 * found - 1.38 * found**2)
    if found >= 0.2:
        return 1 - math.exp(-8.318 + 42.796 * found - 59.938 * found**2)
    return 1 - math.exp(-13.436 + 101.14 * found - 223.73 * found**2)
