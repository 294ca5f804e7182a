"""Loss and accuracy at cells of a grid, of the first few examples and of more and more of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from landscape.objective.streams import stream

if TYPE_CHECKING:
    from landscape.surface.estimate.kriging import Values
    from landscape.surface.grid import Grid
    from landscape.surface.surface_function import SurfaceFunction
    from minima.store.hdf5.results import Place

FEWEST = 128
"""examples of the first level"""
RATIO = 4
"""of the examples of successive levels"""


def example_levels(examples: int) -> list[int]:
    """Numbers of examples, ascending to all.

    >>> example_levels(2048), example_levels(256)
    ([128, 512, 2048], [256])
    """
    levels = [examples]
    while levels[0] >= RATIO * FEWEST:
        levels.insert(0, levels[0] // RATIO)
    return levels


class LevelSamples:
    """Evaluates each level of a cell once; what is known is in the results file, also of a run that was stopped.

    The examples of the levels are nested, in an order drawn from the seed. Cells are numbered row by row.
    """

    def __init__(self, place: Place, grid: Grid, function: SurfaceFunction) -> None:
        objective = function.objective
        self.score = objective.score
        self._grid, self._even = grid, objective.weighing.weights is None and objective.y.ndim == 1
        self.levels = example_levels(len(objective.x))
        self._steps = np.diff(self.levels, prepend=0)
        order = torch.randperm(len(objective.x), generator=stream(function.seed, "examples")).to(objective.x.device)
        parts = [objective.sample(examples) for examples in order.split(self._steps.tolist())]
        self._functions = [replace(function, objective=part) for part in parts]
        place.scale("surface/level", self.levels, "1", "examples that a level sees")
        shape, dims = (len(self.levels), *grid.shape), ("level", *grid.axes)
        words = "of the first examples, in an order drawn from the seed"
        loss = objective.task.loss
        self._rows = (
            place.rows("surface/level_accuracy", shape, dims, "1", f"fraction classified right {words}"),
            place.rows("surface/level_loss", shape, dims, loss.unit, f"mean {loss.name} {words}"),
        )
        self.accuracies, self.losses = (rows.values.reshape(len(self.levels), -1) for rows in self._rows)
        """(levels, cells), NaN where nothing is known"""

    def answer(self, level: int, cells: Sequence[int], tell: Callable[[float], object]) -> Values:
        """The loss (nat) by a level's examples at each cell, once that by the level below is known.

        `tell` hears how much of a pass over all examples each evaluation took.
        """
        for cell in cells:
            if np.isnan(self.losses[level, cell]):
                self._evaluate(level, cell)
                tell(self._steps[level] / self.levels[-1])
        return self.losses[level, list(cells)]

    @property
    def examples(self) -> Values:
        """(cells,) how many examples each was evaluated with."""
        return np.asarray(self._steps @ ~np.isnan(self.losses))

    def _evaluate(self, level: int, cell: int) -> None:
        index = np.unravel_index(cell, self._grid.shape)
        at = [self._grid.coordinates(axis)[step] for axis, step in enumerate(index)]
        own = self._functions[level].at(at).level
        share = self._steps[level] / self.levels[level]
        accuracy = own.accuracy if self._even else np.nan  # of a share by weight the parts' mean is not the whole's
        found = zip(self._rows, (self.accuracies, self.losses), (accuracy, own.loss), strict=True)
        for rows, known, value in found:  # the loss comes last: a level with a loss is a finished one
            below = (1 - share) * known[level - 1, cell] if level else 0.0
            known[level, cell] = below + share * value
            rows.set((level, *map(int, index)), known[level, cell])
