"""Rank correlation within cells (one sparsity and one method each), never pooled over them, with an interval."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class WithinCells:
    """Kendall's tau within cells: one per cell, and their mean over cells."""

    per_cell: dict[Hashable, float]
    mean: float
    low: float
    high: float
    """percentile interval of the mean, resampling seeds (a seed brings its points in all cells along)"""
    seeds: int
    resamples: int


def kendall(x: ArrayLike, y: ArrayLike) -> float:
    """Kendall's tau-b; NaN with fewer than three points or with one value throughout.

    >>> round(kendall([1, 2, 3, 4], [1, 3, 2, 4]), 4), kendall([1, 2], [1, 2])
    (0.6667, nan)
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    return float(_taus(np.ones((1, x.size)), x, y)[0])


def _taus(times: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k,) tau-b of the points, each taken as many times as a row of `times` (k, n) says."""
    kept = np.isfinite(x) & np.isfinite(y)
    times, dx, dy = times[:, kept], _signs(x[kept]), _signs(y[kept])
    agreeing, differing_x, differing_y = (
        ((times @ pairs) * times).sum(1) for pairs in (dx * dy, np.abs(dx), np.abs(dy))
    )
    scale = np.sqrt(differing_x * differing_y)
    scale[(times.sum(1) < 3) | (scale == 0)] = np.nan
    return agreeing / scale


def _signs(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, n) signs of all differences."""
    return np.sign(values[:, None] - values[None, :])


def within_cells(
    cells: Sequence[Hashable],
    seeds: ArrayLike,
    x: ArrayLike,
    y: ArrayLike,
    resamples: int = 2000,
    rng_seed: int = 0,
) -> WithinCells:
    """Kendall's tau of x and y within each cell, their mean, and its 95 % interval by a seed-clustered bootstrap.

    >>> r = within_cells(["a"] * 4 + ["b"] * 4, [0, 1, 2, 3] * 2, range(8), [0, 1, 2, 3, 9, 8, 7, 6], 200)
    >>> r.per_cell, r.mean
    ({'a': 1.0, 'b': -1.0}, 0.0)
    """
    seeds, x, y = np.asarray(seeds), np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    members: dict[Hashable, NDArray[np.intp]] = {}
    for cell in dict.fromkeys(cells):
        members[cell] = np.array([i for i, other in enumerate(cells) if other == cell], dtype=np.intp)
    per_cell = {cell: kendall(x[i], y[i]) for cell, i in members.items()}
    names, places = np.unique(seeds, return_inverse=True)
    rng = np.random.default_rng(rng_seed)
    drawn = [np.bincount(rng.choice(names.size, names.size), minlength=names.size) for _ in range(resamples)]
    times = np.array(drawn, dtype=float)[:, places]
    taus = np.array([_taus(times[:, i], x[i], y[i]) for i in members.values()])
    means = np.array([_mean(each) for each in taus.T])
    means = means[np.isfinite(means)]
    low, high = np.percentile(means, [2.5, 97.5]) if means.size else (np.nan, np.nan)
    return WithinCells(per_cell, _mean(list(per_cell.values())), float(low), float(high), names.size, resamples)


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")
