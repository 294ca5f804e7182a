"""A field over a grid to a given error, from few of its points, most of them seen with few of the examples.

The mean loss over N examples is written as that over the first n of them, n small, plus the differences that more and
more examples make. Each difference is a field of its own over the grid, smaller than the one before, so that it need be
known at fewer points. Each is interpolated; points are added where its spread is large, to the difference that costs
least for what it spares.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import KDTree
from scipy.stats import t as student

from landscape.surface.estimate.kriging import Kriged, Points, Values, krige

BEYOND = 0.01
"""of the cells may have a larger error than asked for"""
AIM = BEYOND / 2
"""share that is aimed at"""
TAILS = student(4)
"""errors in units of their spread: their tails are heavier than a Gaussian's"""
FIRST = 64
"""points that every level begins with"""
HELD_OUT = 64
"""points that a check is made on"""
GROWTH = 0.1
"""points that a step adds, of those that the level has"""
LEAST = 0.7
"""scale of the errors, in units of their spread: until a check has found it, and however small that finds it"""

Ask = Callable[[int, Sequence[int]], Values]
"""(level, cells) -> the field's value at each cell, by that level's examples"""
Allowed = Callable[[Values], Values]
"""values of a field -> how large their errors may be"""


@dataclass(frozen=True)
class Estimate:
    """An estimate of a field over a grid, with its errors."""

    values: Values
    """(cells,)"""
    error: Values
    """(cells,) which 99 of 100 errors of such cells do not exceed; 0 where the field was evaluated"""
    beyond: float
    """share of the cells whose error is expected to be larger than asked for"""
    checked: NDArray[np.intp]
    """cells that were held out, predicted, and then evaluated, in turn"""
    misses: Values
    """the errors of their predictions, in units of what is allowed"""


class Multilevel:
    """Refines until the share of cells with too large an error is below 1 % by its own estimate and a check.

    `allowed(values)` says how large errors may be where the field has these values.

    A check predicts HELD_OUT cells, drawn at random among those that were not evaluated, and then evaluates them: their
    errors say how large errors are in units of their spread, and none of them may be too large, else
    refinement goes on and another check is made. What was held out is used afterwards.

    The course depends on the answers and the generator only: with the same answers it is the same again.
    """

    def __init__(
        self, places: Points, levels: Sequence[int], ask: Ask, allowed: Allowed, generator: torch.Generator
    ) -> None:
        self.places, self.levels, self.ask = places, levels, ask
        self.allowed, self.generator = allowed, generator
        self.known: list[dict[int, float]] = [{} for _ in levels]
        self._fields: list[Kriged | None] = [None for _ in levels]
        self._checked: list[int] = []
        self._misses: list[float] = []
        self._ratios: list[float] = []

    def run(self) -> Estimate:
        """Ask until the promise is kept: at worst for every cell, with all examples."""
        self._learn(len(self.levels) - 1, spread_out(self.places, FIRST))
        while True:
            if self._beyond() <= AIM and self._check():
                break
            if self._beyond() > AIM:
                level = self._cheapest()
                self._learn(level, self._where(level))
        tail = TAILS.ppf(1 - BEYOND / 2)
        error = tail * self._scale * self._spread
        return Estimate(self._values, error, self._beyond(), np.array(self._checked, int), np.array(self._misses))

    @property
    def _values(self) -> Values:
        return np.sum([field.values for field in self._current()], axis=0, dtype=float)

    @property
    def _spread(self) -> Values:
        spread = np.sqrt(np.sum([field.spread**2 for field in self._current()], axis=0))
        spread[list(self.known[-1])] = 0
        return spread

    @property
    def _scale(self) -> float:
        """Of the errors in units of their spread, from the checks: by their median and by their tail."""
        if not self._ratios:
            return LEAST
        median, tail = np.quantile(self._ratios, [0.5, 0.95])
        return float(max(LEAST, median / TAILS.ppf(0.75), tail / TAILS.ppf(0.975)))

    def _beyond(self) -> float:
        return float(2 * TAILS.sf(1 / np.maximum(self._urgency(), 1e-300)).mean())

    def _urgency(self) -> Values:
        """Errors to be expected, in units of what is allowed."""
        return self._scale * self._spread / self.allowed(self._values)

    def _current(self) -> list[Kriged]:
        for level, field in enumerate(self._fields):
            if field is None:
                known = self.known[level]
                self._fields[level] = krige(self.places, list(known), np.array(list(known.values())))
        return [field for field in self._fields if field is not None]

    def _learn(self, level: int, cells: Sequence[int]) -> None:
        """The differences of all levels up to this one, at these cells."""
        below = np.zeros(len(cells))
        for each in range(level + 1):
            answers = self.ask(each, cells)
            self.known[each] |= dict(zip(cells, answers - below, strict=True))
            self._fields[each], below = None, answers

    def _check(self) -> bool:
        """Whether a fresh sample of cells, if any is left, is predicted well enough."""
        values, spread = self._values, self._spread
        unseen = np.setdiff1d(np.arange(len(self.places)), list(self.known[-1]))
        cells = np.sort(unseen[torch.randperm(len(unseen), generator=self.generator)[:HELD_OUT].numpy()])
        self._learn(len(self.levels) - 1, cells.tolist())
        misses = np.abs(values[cells] - self._values[cells])
        self._checked += cells.tolist()
        shares = misses / self.allowed(self._values[cells])
        self._misses += shares.tolist()
        self._ratios += (misses / np.maximum(spread[cells], 1e-12)).tolist()
        return bool((shares <= 1).all()) and self._beyond() <= AIM

    def _critical(self) -> NDArray[np.bool_]:
        """Cells that may well be beyond."""
        return self._urgency() > 1 / TAILS.ppf(1 - AIM)

    def _cheapest(self) -> int:
        """The level whose variance at critical cells is largest for what its points have cost."""
        critical, fields = self._critical(), self._current()
        gain = [
            float((field.spread[critical] ** 2).sum()) / (len(self.known[level]) * self.levels[level])
            for level, field in enumerate(fields)
        ]
        return int(np.argmax(gain))

    def _where(self, level: int) -> list[int]:
        """Cells of large spread, apart from each other."""
        spread = np.where(self._critical(), self._current()[level].spread, 0.0)
        known = list(self.known[level])
        before = KDTree(self.places[known]).query(self.places)[0]
        distance, chosen = before.copy(), []
        for _ in range(max(4, round(GROWTH * len(known)))):
            # a neighbour's point lowers the spread of a cubic spline like the distance to the power 3/2
            left = spread * (distance / np.maximum(before, 1e-12)) ** 1.5
            cell = int(left.argmax())
            if left[cell] <= 0:
                break
            chosen.append(cell)
            distance = np.minimum(distance, np.linalg.norm(self.places - self.places[cell], axis=1))
        return chosen


def spread_out(places: Points, count: int) -> list[int]:
    """Cells as far from each other as can be, one after the other, the one closest to the origin first.

    >>> spread_out(np.array([[-1.0], [-0.4], [0.0], [1.0]]), 3)
    [2, 0, 3]
    """
    chosen = [int(np.linalg.norm(places, axis=1).argmin())]
    distance = np.linalg.norm(places - places[chosen[0]], axis=1)
    while len(chosen) < min(count, len(places)):
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(places - places[chosen[-1]], axis=1))
    return chosen
