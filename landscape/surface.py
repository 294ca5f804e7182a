"""Loss and accuracy on a line or plane through a network: `python -m landscape.surface CKPT`.

The directions are random and scaled like the weights (Li et al. 2018, Visualizing the Loss Landscape of Neural Nets).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from landscape.filling import fill
from landscape.flags import Landscape, located
from landscape.grid import Grid, parse_grid
from landscape.position import heading, write_position
from store.command import BadInput, Report, note, run
from zoo.measuring import measure_each

if TYPE_CHECKING:
    from landscape.objective import Objective
    from landscape.plane import Plane
    from store.results import Place
    from zoo.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Surface(Landscape):
    """Flags of `python -m landscape.surface`."""

    grid: str = "51x51"
    """points: N (a square of N x N), NxM, or Nx1 for a line along one direction"""
    extent: float = 1.0
    """how far to go on both sides, in units of the directions"""
    directions: Literal["random"] = "random"
    """independent Gaussian draws from the seed"""
    normalise: Literal["filter", "layer", "weight", "none"] = "filter"
    """what of a direction gets the norm of the weights it moves"""
    biases_and_norms: Literal["ignore", "scale"] = "ignore"
    """whether biases and normalisation parameters stay where they are, or move like a filter each"""
    error: float | None = None
    """E lets it spend less: |error of the loss| <= E x max(loss, 1 nat) in 99 % of the cells (default: exact)"""
    compile: Literal["auto", "on", "off"] = "auto"
    """the passes, with the weights as inputs: auto where the work is long enough to pay for it; half a minute"""


def compute(subject: Subject, place: Place, arguments: Surface) -> dict[str, Any]:
    """Evaluate a subject on the grid, row by row into its place, and return what the JSON object says of it."""
    from landscape.execution import settle

    start = time.perf_counter()
    grid = parse_grid(arguments.grid, arguments.extent)
    objective, where, _ = located(subject, arguments)
    plane = _plane(objective, arguments, grid)
    write_position(place, "surface", where)
    _describe(place, grid)
    plane.write(place)
    corner = plane.displacement(grid.row(0)[0])
    chosen = settle(objective, place, "surface", arguments, corner, grid.points)
    note(f"{subject.name}: passes are {chosen}")
    spent = _fill(place, grid, objective, plane, arguments, subject.name)
    return (
        where
        | {"shape": list(grid.shape)}
        | _found(place, grid, objective)
        | {
            "points": grid.points,
            "direction_norms": [direction.norm for direction in plane.directions],
            "relative_direction_norms": [direction.relative_norm for direction in plane.directions],
        }
        | spent
        | {"plan": chosen}
        | _timed(start, objective)
    )


def table(summary: dict[str, Any]) -> str:
    """What a person reads."""
    shape = " x ".join(map(str, summary["shape"]))
    norms = ", ".join(
        f"{norm:.4g} ({relative:.3g} of the weights' norm)"
        for norm, relative in zip(summary["direction_norms"], summary["relative_direction_norms"], strict=True)
    )
    highest = "infinite" if summary["loss_max"] is None else f"{summary['loss_max']:.6g}"  # JSON has no infinity
    return "\n".join(
        [
            heading(summary),
            "",
            f"{shape} points, {summary['forward_passes']:,.6g} passes over the data",
            *_promise(summary),
            f"loss at the centre {summary['loss_at_centre']:.6g}, lowest {summary['loss_min']:.6g}, highest {highest}",
            f"length of the directions: {norms}",
        ]
    )


def _promise(summary: dict[str, Any]) -> list[str]:
    """How exact it is, unless it is exact."""
    if "error" not in summary:
        return []
    error = summary["error"]
    kept = "as asked" if error["kept"] else "NOT as asked"
    return [
        f"{kept}: an estimated {error['cells_beyond']:.2%} of the losses are off by more than "
        f"{error['asked']:g} x max(loss, 1 nat);",
        f"{error['held_out']} points were held out, {error['held_out_beyond']} of them were "
        f"(the worst by {error['held_out_largest']:.3g})",
    ]


def main(arguments: Surface) -> Report:
    """Evaluate every checkpoint named on the command line."""
    parse_grid(arguments.grid, arguments.extent)
    if arguments.error is not None and not 0 < arguments.error < 1:
        raise BadInput(f"--error {arguments.error}: expected a fraction of max(loss, 1 nat), such as 0.02")

    def compute_with_flags(subject: Subject, place: Place) -> dict[str, Any]:
        return compute(subject, place, arguments)

    return measure_each(arguments, "surface", compute_with_flags, table, write_level=False)


def _plane(objective: Objective, arguments: Surface, grid: Grid) -> Plane:
    from landscape.plane import random_plane

    return random_plane(objective, len(grid.shape), arguments.seed, arguments.normalise, arguments.biases_and_norms)


def _fill(
    place: Place, grid: Grid, objective: Objective, plane: Plane, arguments: Surface, name: str
) -> dict[str, Any]:
    """Loss and accuracy over the grid; what that took, in passes over the data, and how exact it is."""
    if arguments.error is None:
        fill(place, grid, objective, plane, name)
        return {"forward_passes": grid.points + (not grid.has_centre)}
    from landscape.thrifty import fill_within

    return fill_within(place, grid, objective, plane, error=arguments.error, seed=arguments.seed, name=name)


def _timed(start: float, objective: Objective) -> dict[str, float]:
    compiling = objective.forward.compile_seconds
    return {"seconds": time.perf_counter() - start - compiling, "compile_seconds": compiling}


def _describe(place: Place, grid: Grid) -> None:
    for axis, name in enumerate(grid.axes):
        place.scale(f"surface/{name}", grid.coordinates(axis), "1", f"coordinate along direction {axis + 1}")


def _found(place: Place, grid: Grid, objective: Objective) -> dict[str, Any]:
    """The extremes, and the loss at the centre, which need not be a point of the grid."""
    losses = place.read("surface/loss")
    middle = tuple(count // 2 for count in grid.shape)
    return {
        "loss_at_centre": float(losses[middle]) if grid.has_centre else objective.loss(),
        "loss_min": float(losses.min()),
        "loss_max": float(losses.max()),
    }


if __name__ == "__main__":
    run(Surface, main, prog="python -m landscape.surface", description=__doc__ or "")
