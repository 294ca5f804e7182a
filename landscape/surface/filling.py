"""A surface's points, evaluated exactly, row by row; a run that was stopped goes on at the row it was at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minima.store.command import BadInput
from minima.store.hdf5.labelled import to_array
from minima.store.messages import progress_bar

if TYPE_CHECKING:
    from landscape.surface.field import Field
    from landscape.surface.grid import Grid
    from landscape.surface.lines import Lines
    from landscape.surface.surface_function import SurfaceFunction
    from minima.store.hdf5.results import Place, Rows
    from minima.zoo.losses.score import Score


def fill(place: Place, grid: Grid | Lines, function: SurfaceFunction, name: str, fields: Sequence[Field] = ()) -> None:
    """Loss and accuracy at every point of the grid, and what else was asked for; where the loss overflows it is inf."""
    loss, (key, meaning) = function.objective.task.loss, score_array(function.objective.score)
    scores = place.rows(f"surface/{key}", grid.shape, grid.axes, "1", meaning)
    losses = place.rows("surface/loss", grid.shape, grid.axes, loss.unit, f"mean {loss.name}; inf where it overflows")
    maps = _maps(place, grid, function, fields)
    for row in progress_bar(losses.missing(), desc=name, unit="row"):
        found = [_found(function, at, fields) for at in grid.row(row)]
        for key, rows in (*maps.items(), ("score", scores), ("loss", losses)):
            values = np.stack([to_array(each[key]) for each in found], axis=-1)  # (..., points)
            before = [slice(None)] * (values.ndim - 1)
            rows.set((*before, row), values if len(grid.shape) > 1 else values[..., 0])  # the loss last: now it is done


def _found(function: SurfaceFunction, at: Sequence[float], fields: Sequence[Field]) -> dict[str, Any]:
    """Everything at one point."""
    point = function.at(at)
    found = {key: value for field in fields for key, value in field.values(point).items()}
    return found | {"loss": point.level.loss, "score": point.level.score}


def score_array(score: Score) -> tuple[str, str]:
    """What the array of a score is called in a results file, and what it means."""
    if score.name == "accuracy":
        return "accuracy", "fraction of the examples classified right"
    return "score", "there is none beside this loss" if score.name is None else f"{score.name} of the examples"


def _maps(place: Place, grid: Grid | Lines, function: SurfaceFunction, fields: Sequence[Field]) -> dict[str, Rows]:
    maps = [each for field in fields for each in field.maps if each.axes <= len(function.plane.directions)]
    classes = 0
    if any(each.along == "class" for each in maps):
        if function.classes is None:
            raise BadInput("--maps per-class needs class labels (N,), and these data have none. Leave it out")
        classes = function.classes
        place.scale("surface/class", list(range(classes)), "1", "class")
    lengths = {"class": classes, "direction": len(function.plane.directions)}
    found = {}
    for each in maps:
        leading = [] if each.along is None else [each.along]
        shape, dims = [*(lengths[name] for name in leading), *grid.shape], [*leading, *grid.axes]
        found[each.name] = place.rows(f"surface/{each.name}", shape, dims, each.units, each.long_name)
    return found
