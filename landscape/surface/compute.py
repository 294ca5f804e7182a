"""A surface over a grid, filled row by row, with what lies on it."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from landscape.objective.position import write_position
from landscape.surface.estimate.within_error import fill_within  # which takes half a second to import
from landscape.surface.field import parse_maps
from landscape.surface.filling import fill
from landscape.surface.grid import Grid, parse_grid
from landscape.surface.landmark import checkpoints
from landscape.surface.landmark_positions import write_points, write_trajectory
from landscape.surface.lines import Lines, write_spread
from landscape.surface.planner import settle
from landscape.surface.preparing import prepare
from minima.store.command import note
from minima.zoo.measuring.flags import choice
from minima.zoo.subject.subject import Reader

if TYPE_CHECKING:
    from landscape.objective.objective import Objective
    from landscape.surface.preparing import Prepared
    from landscape.surface.surface_function import SurfaceFunction
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject
from landscape.surface.flags import Drawing, Surface

USUAL_SHARE = 0.1
"""of the exact passes that a surface to a given error takes"""


def compute(subject: Subject, place: Place, arguments: Surface) -> dict[str, Any]:
    """Evaluate a subject on the grid, row by row into its place, and return what the JSON object says of it."""
    start, axes = time.perf_counter(), len(parse_grid(arguments.grid, arguments.extent).shape)
    others = checkpoints(arguments.through or (), Reader(choice(arguments), there=subject), subject)
    found = prepare(subject, arguments, arguments, axes=axes, seed=arguments.seed, others=others)
    own = draw(found, place, arguments, subject.name, arguments.batch_size)
    return own | _timed(start, found.function.objective)


def draw(found: Prepared, place: Place, drawing: Drawing, name: str, chunk: int | None = None) -> dict[str, Any]:
    """Evaluate what was surveyed on the grid, row by row into a place, and return what the JSON object says of it.

    `name`: of the network in the centre; `chunk`: examples at once, where that is not free.
    """
    grid, function, plane = parse_grid(drawing.grid, drawing.extent), found.function, found.function.plane
    grid = grid.around(plane.around) if plane.around else grid
    write_position(place, "surface", found.where)
    _describe(place, grid, drawing)
    plane.write(place)
    points = Lines(drawing.lines, grid) if drawing.lines else grid
    corner = plane.displacement(points.row(0)[0])
    chosen = settle(function.objective, place, drawing, corner, _work(points, function, drawing), chunk)
    note(f"{name}: passes are {chosen}")
    filled = _fill(place, points, function, drawing, name)
    others = function.passes * (len(found.through) + 2 * len(found.moments) + (not grid.has_centre))
    return (
        found.where
        | {"shape": list(grid.shape), "lines": drawing.lines, "directions": drawing.directions}
        | _extremes(place, grid, function)
        | plane.summary()
        | filled
        | {"forward_passes": filled["forward_passes"] + others}
        | (write_spread(place) if drawing.lines else {})
        | write_points(place, function, name, found.through)
        | write_trajectory(place, function, found.moments)
        | {"plan": chosen}
    )


def _fill(place: Place, points: Grid | Lines, function: SurfaceFunction, drawing: Drawing, name: str) -> dict[str, Any]:
    """Loss, accuracy and maps over the grid; what that took, and how exact it is."""
    count = math.prod(points.shape)
    own = {"points": count, "batch_norm_statistics": drawing.batch_norm_statistics}
    if drawing.error is not None and isinstance(points, Grid):
        return own | fill_within(place, points, function, name, drawing.error)
    fields = parse_maps(drawing.maps)
    fill(place, points, function, name, fields)
    own["forward_passes"] = function.passes * count
    return own | ({"maps": {field.name: field.cost(len(points.shape), count) for field in fields}} if fields else {})


def _work(points: Grid | Lines, function: SurfaceFunction, drawing: Drawing) -> int:
    """About how many passes over the data lie ahead."""
    share = 1.0 if drawing.error is None else USUAL_SHARE
    return max(1, round(share * function.passes * math.prod(points.shape)))


def _timed(start: float, objective: Objective) -> dict[str, float]:
    compiling = objective.forward.compile_seconds
    return {"seconds": time.perf_counter() - start - compiling, "compile_seconds": compiling}


def _describe(place: Place, grid: Grid, drawing: Drawing) -> None:
    for axis, name in enumerate(grid.axes):
        place.scale(f"surface/{name}", grid.coordinates(axis), "1", f"coordinate along direction {axis + 1}")
    if drawing.lines:
        place.scale("surface/line", range(1, drawing.lines + 1), "1", "line along a random direction")
    own = {"directions": drawing.directions, "batch_norm_statistics": drawing.batch_norm_statistics}
    place.attributes("surface", **own)


def _extremes(place: Place, grid: Grid, function: SurfaceFunction) -> dict[str, Any]:
    """Of the points where the loss is finite, and the loss at the centre, which need not be a point of the grid."""
    losses = place.read("surface/loss")
    finite = losses[np.isfinite(losses)]
    if grid.has_centre:
        at = [grid.coordinates(axis).index(0.0) for axis in range(len(grid.shape))]
        centre = float(losses.reshape(-1, *grid.shape)[0, *at])  # of several lines the first
    else:
        centre = function.at([0.0] * len(grid.shape)).level.loss
    lowest, highest = (float(finite.min()), float(finite.max())) if finite.size else (None, None)
    return {
        "loss_at_centre": centre,
        "loss_min": lowest,
        "loss_max": highest,
        "not_finite": losses.size - finite.size,
    }
