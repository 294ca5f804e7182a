"""Basins of a surface: minima deep enough to count, and the points that belong to each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from landscape.topology.merge_tree import MergeTree, merge_tree

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHARE = 0.01
"""of the rise from the lowest to the median loss: what a basin is deep that counts, where no error is known"""


@dataclass(frozen=True)
class Basins:
    """The basins of a surface, the deepest first; points are counted in C order."""

    minima: NDArray[np.int64]
    """(k,) the lowest point of each"""
    saddles: NDArray[np.int64]
    """(k,) where it merges with a lower one; -1: it never does"""
    depths: NDArray[np.float64]
    """(k,) nat from the minimum up to there; inf: it never does"""
    parents: NDArray[np.int64]
    """(k,) the basin it merges with; -1: none"""
    belonging: NDArray[np.int64]
    """the basin of each point, in the grid's shape; -1: a wall"""


def margin(
    values: NDArray[np.float64], prominence: float | None = None, error: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """(points,) nat: what appears at one point and goes at another counts if it lasts longer than both's together.

    Half of `prominence` (nat) or, without it, the estimated error of each point or, without that, half of 1 % of the
    rise from the lowest to the median loss.

    >>> margin(np.array([0.0, 1.0, np.inf, 2.0])).tolist()
    [0.005, 0.005, 0.005, 0.005]
    """
    if prominence is None and error is not None:
        return np.nan_to_num(error.ravel(), posinf=0.0)
    finite = values[np.isfinite(values)]
    if prominence is None:
        prominence = SHARE * float(np.median(finite) - finite.min()) if len(finite) else 0.0
    return np.full(values.size, prominence / 2)


def find_basins(values: NDArray[np.float64], margin: NDArray[np.float64]) -> Basins:
    """The minima that are deep enough by a `margin`, and the points from which the loss descends to each.

    Depth is the persistence: loss at the saddle where a minimum merges with a lower one, less its own. A point belongs
    to the minimum at which its steepest descent from neighbour to neighbour ends, or, where that is too shallow, to the
    one with which that merges.

    >>> found = find_basins(np.array([0.0, 5.0, 1.0, 3.0, 2.0]), margin=np.ones(5))
    >>> found.minima.tolist(), found.depths.tolist(), found.belonging.tolist()
    ([0, 2], [inf, 4.0], [0, 0, 1, 1, 1])
    """
    tree, flat = merge_tree(values), values.ravel()
    depths = np.where(tree.saddles >= 0, flat[tree.saddles] - flat[tree.minima], np.inf)
    deep = depths > margin[tree.saddles] + margin[tree.minima]
    owners = _owners(tree, deep)
    kept = np.flatnonzero(deep)
    kept = kept[np.argsort(-depths[kept], kind="stable")]
    number = np.full(len(depths) + 1, -1)  # the last place is that of walls and of what has no parent
    number[kept] = np.arange(len(kept))
    return Basins(
        tree.minima[kept],
        tree.saddles[kept],
        depths[kept],
        number[owners[tree.parents[kept]]],
        number[owners[tree.descents]],
    )


def _owners(tree: MergeTree, deep: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(minima + 1,) the deep minimum that each merges with first, itself if it is one; -1 for walls at the end."""
    owners = np.full(len(deep) + 1, -1)
    for minimum, parent in enumerate(tree.parents):  # a parent comes before its children
        owners[minimum] = minimum if deep[minimum] else owners[parent]
    return owners
