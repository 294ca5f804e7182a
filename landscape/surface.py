"""Loss and accuracy on a line or plane through a network: `python -m landscape.surface CKPT`.

Its directions are random and scaled like the weights (Li et al. 2018, Visualizing the Loss Landscape of Neural Nets),
eigenvectors of the Hessian, lead to other checkpoints (Garipov et al. 2018), or follow a training's course.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from landscape.field import parse_maps
from landscape.flags import Landscape
from landscape.grid import Grid, parse_grid
from landscape.pass_plan import PassPlan
from landscape.position import write_position
from landscape.spanning import spannings
from landscape.surface_report import table
from store.command import BadInput, Report, note, run
from zoo.measuring import measure_each

if TYPE_CHECKING:
    from landscape.objective import Objective
    from landscape.pencil import Lines
    from landscape.sheet import Sheet
    from store.results import Place
    from zoo.subject import Subject

USUAL_SHARE = 0.1
"""of the exact passes that a surface to a given error takes"""


@dataclass(frozen=True, kw_only=True)
class Surface(Landscape):
    """Flags of `python -m landscape.surface`."""

    grid: str = "51x51"
    """points: N (a square of N x N), NxM, or Nx1 for a line along one direction"""
    extent: float = 1.0
    """how far to go on both sides, in units of the directions; around networks the margin, in fifths of their box"""
    directions: Literal["random", "eigen", "checkpoints", "trajectory"] = "random"
    """Gaussian draws, or of length 1: eigenvectors of the Hessian's largest eigenvalues; the plane --through other
    checkpoints; the one closest to the course of a training (--trajectory)"""
    normalise: Literal["filter", "layer", "weight", "none"] = "filter"
    """what of a random direction gets the norm of the weights it moves"""
    biases_and_norms: Literal["ignore", "scale"] = "ignore"
    """whether biases and normalisation parameters stay where they are, or move like a filter each, at random"""
    eigenvectors: Path | None = None
    """a result of landscape.hessian for the same checkpoint (default: they are computed)"""
    through: tuple[Path, ...] | None = None
    """checkpoints that the plane goes through beside the first: two, or one for a line"""
    trajectory: Path | None = None
    """weights at moments of a training, drawn on the surface, with the part that lies beside it"""
    batch_norm_statistics: Literal["own", "re-estimate"] = "own"
    """at each point: the network's own, interpolated where the plane goes through several; or anew from the examples,
    a pass for each layer"""
    error: float | None = None
    """E lets it spend less: |error of the loss| <= E x max(loss, 1 nat) in 99 % of the cells (default: exact)"""
    lines: int | None = None
    """with --grid Nx1: along this many random directions, and their mean and spread"""
    maps: str | None = None
    """what else to find at each point, separated by commas: per-class, gradient, curvature"""
    compile: Literal["auto", "on", "off"] = "auto"
    """the passes, with the weights as inputs: auto where the work is long enough to pay for half a minute; off: nor are
    convolutions in tiles tried, which are compiled once for a machine, in a second"""
    plan: str | None = None
    """how to compute the passes, as `plan` in a result says, for the same bits (default: the fastest that agrees)"""


def compute(subject: Subject, place: Place, arguments: Surface) -> dict[str, Any]:
    """Evaluate a subject on the grid, row by row into its place, and return what the JSON object says of it."""
    from landscape.execution import settle
    from landscape.landmark_positions import write_points, write_trajectory
    from landscape.pencil import Lines, write_spread
    from landscape.survey import survey

    start = time.perf_counter()
    grid = parse_grid(arguments.grid, arguments.extent)
    found = survey(subject, arguments, len(grid.shape))
    sheet, plane = found.sheet, found.sheet.plane
    grid = grid.around(plane.around) if plane.around else grid
    write_position(place, "surface", found.where)
    _describe(place, grid, arguments)
    plane.write(place)
    points = Lines(arguments.lines, grid) if arguments.lines else grid
    corner = plane.displacement(points.row(0)[0])
    chosen = settle(sheet.objective, place, arguments, corner, _work(points, sheet, arguments))
    note(f"{subject.name}: passes are {chosen}")
    filled = _fill(place, points, sheet, arguments, subject.name)
    others = sheet.passes * (len(found.through) + 2 * len(found.moments) + (not grid.has_centre))
    return (
        found.where
        | {"shape": list(grid.shape), "lines": arguments.lines, "directions": arguments.directions}
        | _extremes(place, grid, sheet)
        | plane.summary()
        | filled
        | {"forward_passes": filled["forward_passes"] + others}
        | (write_spread(place) if arguments.lines else {})
        | write_points(place, sheet, subject.name, found.through)
        | write_trajectory(place, sheet, found.moments)
        | {"plan": chosen}
        | _timed(start, sheet.objective)
    )


def main(arguments: Surface) -> Report:
    """Evaluate every checkpoint named on the command line."""
    _check(arguments)
    return measure_each(
        arguments, "surface", lambda subject, place: compute(subject, place, arguments), table, write_level=False
    )


def _check(arguments: Surface) -> None:
    """What can be refused without the network."""
    axes = len(parse_grid(arguments.grid, arguments.extent).shape)
    parse_maps(arguments.maps)
    if arguments.plan is not None:
        PassPlan.parse(arguments.plan)
    kind, flag = arguments.directions, spannings()[arguments.directions].needs
    if flag is not None and getattr(arguments, flag) is None:
        raise BadInput(f"--directions {kind} needs --{flag}: " + ("B.pt C.pt" if flag == "through" else "FILE"))
    for name, only in (("through", "checkpoints"), ("eigenvectors", "eigen")):
        if getattr(arguments, name) is not None and kind != only:
            raise BadInput(f"--{name} is for --directions {only}, not {kind}")
    for path in (*(arguments.through or ()), *([arguments.trajectory] if arguments.trajectory else [])):
        if not path.is_file():
            raise BadInput(f"{path}: there is no such file")
    if arguments.through is not None and len(arguments.through) != axes:
        raise BadInput(
            f"--through names {len(arguments.through)} checkpoints: a plane goes through the first and two others, "
            "a line (--grid Nx1) through one other"
        )
    if arguments.parameters is not None and (arguments.through or arguments.trajectory):
        raise BadInput("--parameters holds weights that differ between networks: leave it out with other networks")
    _check_lines(arguments, axes)
    _check_error(arguments)


def _check_lines(arguments: Surface, axes: int) -> None:
    if arguments.lines is None:
        return
    if arguments.lines < 2:
        raise BadInput(f"--lines {arguments.lines}: expected at least 2; without it there is one")
    if axes != 1 or arguments.directions != "random":
        raise BadInput(f"--lines {arguments.lines} are random lines: expected --grid Nx1 and --directions random")
    if arguments.maps or arguments.trajectory:
        raise BadInput(f"--lines {arguments.lines}: --maps and --trajectory are for a single line or a plane")


def _check_error(arguments: Surface) -> None:
    error = arguments.error
    if error is None:
        return
    if not 0 < error < 1:
        raise BadInput(f"--error {error}: expected a fraction of max(loss, 1 nat), such as 0.02")
    if arguments.maps or arguments.lines or arguments.batch_norm_statistics == "re-estimate":
        raise BadInput(f"--error {error} is for loss and accuracy: without --maps, --lines and re-estimated statistics")


def _fill(place: Place, points: Grid | Lines, sheet: Sheet, arguments: Surface, name: str) -> dict[str, Any]:
    """Loss, accuracy and maps over the grid; what that took, and how exact it is."""
    from landscape.filling import fill
    from landscape.within_error import fill_within

    count = math.prod(points.shape)
    own = {"points": count, "batch_norm_statistics": arguments.batch_norm_statistics}
    if arguments.error is not None and isinstance(points, Grid):
        return own | fill_within(place, points, sheet, name, arguments.error)
    fields = parse_maps(arguments.maps)
    fill(place, points, sheet, name, fields)
    own["forward_passes"] = sheet.passes * count
    return own | ({"maps": {field.name: field.cost(len(points.shape), count) for field in fields}} if fields else {})


def _work(points: Grid | Lines, sheet: Sheet, arguments: Surface) -> int:
    """About how many passes over the data lie ahead."""
    share = 1.0 if arguments.error is None else USUAL_SHARE
    return max(1, round(share * sheet.passes * math.prod(points.shape)))


def _timed(start: float, objective: Objective) -> dict[str, float]:
    compiling = objective.forward.compile_seconds
    return {"seconds": time.perf_counter() - start - compiling, "compile_seconds": compiling}


def _describe(place: Place, grid: Grid, arguments: Surface) -> None:
    for axis, name in enumerate(grid.axes):
        place.scale(f"surface/{name}", grid.coordinates(axis), "1", f"coordinate along direction {axis + 1}")
    if arguments.lines:
        place.scale("surface/line", range(1, arguments.lines + 1), "1", "line along a random direction")
    own = {"directions": arguments.directions, "batch_norm_statistics": arguments.batch_norm_statistics}
    place.attributes("surface", **own)


def _extremes(place: Place, grid: Grid, sheet: Sheet) -> dict[str, Any]:
    """Of the points where the loss is finite, and the loss at the centre, which need not be a point of the grid."""
    losses = place.read("surface/loss")
    finite = losses[np.isfinite(losses)]
    if grid.has_centre:
        at = [grid.coordinates(axis).index(0.0) for axis in range(len(grid.shape))]
        centre = float(losses.reshape(-1, *grid.shape)[0, *at])  # of several lines the first
    else:
        centre = sheet.at([0.0] * len(grid.shape)).level.loss
    lowest, highest = (float(finite.min()), float(finite.max())) if finite.size else (None, None)
    return {
        "loss_at_centre": centre,
        "loss_min": lowest,
        "loss_max": highest,
        "not_finite": losses.size - finite.size,
    }


if __name__ == "__main__":
    run(Surface, main, prog="python -m landscape.surface", description=__doc__ or "")
