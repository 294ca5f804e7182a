"""Which minimum of a surface merges with which, and where: the merge tree of its sublevel sets."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class MergeTree:
    """Minima, the lowest first; points are counted through the grid in C order, minima in the order given here."""

    minima: NDArray[np.int64]
    """(k,) the point of each"""
    saddles: NDArray[np.int64]
    """(k,) the point where it merges with a lower one; -1: it never does"""
    parents: NDArray[np.int64]
    """(k,) the lowest minimum of what it merges with, which comes before it; -1: none"""
    descents: NDArray[np.int64]
    """the minimum at which a point's steepest descent (by loss over cells) ends, in the grid's shape; -1: a wall"""


@dataclass
class _Flood:
    """Water rising over the points: the lakes there are, each known by its lowest minimum."""

    lake: list[int] = field(default_factory=list)
    minima: list[int] = field(default_factory=list)
    saddles: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)

    def begin(self, point: int) -> int:
        self.lake.append(len(self.minima))
        self.minima.append(point)
        self.saddles.append(-1)
        self.parents.append(-1)
        return self.lake[-1]

    def of(self, minimum: int) -> int:
        while self.lake[minimum] != minimum:
            self.lake[minimum] = minimum = self.lake[self.lake[minimum]]
        return minimum

    def join(self, lakes: set[int], point: int) -> None:
        lowest, *others = sorted(lakes)
        for other in others:
            self.lake[other] = self.parents[other] = lowest
            self.saddles[other] = point


def merge_tree(values: NDArray[np.float64]) -> MergeTree:
    """Flood a grid of one or two axes from below (Carr, Snoeyink & Axen 2003, by union and find).

    A point's neighbours are those around it, corners too; of equal values, the first in C order counts as the lower, so
    that a plateau may hold several minima, all but one of depth 0. Points that are not finite are walls.

    >>> tree = merge_tree(np.array([0.0, 5.0, 1.0, 3.0, 2.0]))
    >>> tree.minima.tolist(), tree.saddles.tolist(), tree.parents.tolist(), tree.descents.tolist()
    ([0, 2, 4], [-1, 1, 3], [-1, 0, 1], [0, 0, 1, 1, 2])
    """
    flat = values.ravel()
    order = [int(point) for point in np.argsort(flat, kind="stable") if np.isfinite(flat[point])]
    rank = np.full(flat.size, flat.size)
    rank[order] = np.arange(len(order))
    flood, descents = _Flood(), np.full(flat.size, -1)
    for point in order:
        slopes = {
            near: ((flat[near] - flat[point]) / far, rank[near])
            for near, far in _around(point, values.shape)
            if rank[near] < rank[point]
        }
        if slopes:
            descents[point] = descents[min(slopes, key=slopes.__getitem__)]
            flood.join({flood.of(descents[near]) for near in slopes}, point)
        else:
            descents[point] = flood.begin(point)
    minima, saddles, parents = np.array([flood.minima, flood.saddles, flood.parents], dtype=np.int64)
    return MergeTree(minima, saddles, parents, descents.reshape(values.shape))


def _around(point: int, shape: tuple[int, ...]) -> Iterator[tuple[int, float]]:
    """The neighbours of a point within the grid, and how many cells away they are."""
    at = np.unravel_index(point, shape)
    ranges = [range(max(0, int(place) - 1), min(count, int(place) + 2)) for place, count in zip(at, shape, strict=True)]
    for near in product(*ranges):
        index = near[0] if len(near) == 1 else near[0] * shape[1] + near[1]
        if index != point:
            yield index, math.dist(near, at)
