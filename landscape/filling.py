"""A surface's points, evaluated exactly, row by row; a run that was stopped goes on at the row it was at."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landscape.grid import Grid
    from landscape.objective import Objective
    from landscape.plane import Plane
    from store.results import Place


def fill(place: Place, grid: Grid, objective: Objective, plane: Plane, name: str) -> None:
    """Loss and accuracy at every point of the grid; where the loss overflows it is inf."""
    from tqdm import tqdm

    accuracies = place.rows("surface/accuracy", grid.shape, grid.axes, "1", "fraction of the examples classified right")
    losses = place.rows("surface/loss", grid.shape, grid.axes, "nat", "mean cross-entropy; inf where it overflows")
    for row in tqdm(losses.missing(), desc=name, unit="row", disable=None, leave=False):
        levels = [objective.evaluate(plane.displacement(at)) for at in grid.row(row)]
        accuracies.set(row, grid.shaped([level.accuracy for level in levels]))
        losses.set(row, grid.shaped([level.loss for level in levels]))  # last: a row with a loss is a finished one
