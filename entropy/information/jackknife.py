"""The error of a layer's mean entropy that comes from the images it was measured on."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from entropy.information.formulas import Counts, corrected_entropy

Floats = NDArray[np.float64]


def jackknife_error(replicates: Floats, used: int, available: float) -> float:
    """Standard error of a mean from its values with each of B blocks of examples left out.

    sqrt((B - 1) / B * sum_b (t_b - mean t)^2) * sqrt(1 - n / N): `used` = n examples were drawn without replacement
    from the `available` = N that the answer is wanted for, so there is no error left when all were used (N = inf: how
    far off the answer is for images nobody has seen). NaN with fewer than two blocks. This is the delete-a-group
    jackknife (Wolter, Introduction to Variance Estimation, ch. 4).

    The mean of 1, 2, 3, 4 has the standard error sqrt(5 / 3 / 4):

    >>> left_out = (10 - np.array([1, 2, 3, 4])) / 3
    >>> round(jackknife_error(left_out, 4, math.inf), 6), jackknife_error(left_out, 4, 4)
    (0.645497, 0.0)
    """
    blocks = len(replicates)
    if blocks < 2:
        return math.nan
    spread = float(((replicates - replicates.mean()) ** 2).sum())
    return math.sqrt((blocks - 1) / blocks * spread * (1 - used / available))


def leave_one_out_means(on: Counts, observed: Counts) -> Floats:
    """Corrected mean entropy of a layer (B,) with each block left out, from counts per block (B, C, n) and (B, C).

    Counts are whole numbers, so that a class's entropies are read off a table with one entry for each possible count.
    """
    total_observed = observed.sum(0)
    blocks, classes, neurons = on.shape
    sums = np.zeros(blocks)
    for label in range(classes):
        total = on[:, label].sum(0, dtype=np.int64)
        left = total_observed[label] - observed[:, label]
        tables = {
            count: corrected_entropy(np.arange(count + 1)[None], np.array([count])) for count in set(left.tolist())
        }
        for block, count in enumerate(left.tolist()):
            occurrences = np.bincount(total - on[block, label], minlength=count + 1)
            sums[block] += occurrences @ tables[count]
    return sums / neurons
