"""Where other networks lie on a surface, and what their own loss is: checkpoints, and the moments of a training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from landscape.surface.grid import AXES
from minima.store.hdf5.record import Number, write

if TYPE_CHECKING:
    from landscape.surface.landmark import Landmark
    from landscape.surface.surface_function import SurfaceFunction
    from minima.store.hdf5.results import Place

POINT, MOMENT = ("point",), ("moment",)
DRAWN = "where a {}'s network is drawn along {}"
POINTS = (
    *(Number(f"point_{axis}", "1", DRAWN.format("point", axis), POINT) for axis in AXES),
    Number("point_loss", "nat", "mean cross-entropy of a checkpoint itself", POINT),
    Number("point_accuracy", "1", "fraction classified right by it", POINT),
)
"""of the checkpoints that a plane goes through"""
MOMENTS = (
    *(
        Number(f"trajectory_{axis}", "1", f"where a trajectory's network is drawn along {axis}", MOMENT)
        for axis in AXES
    ),
    Number("trajectory_distance", "1", "distance of a moment's weights from the network in the centre", MOMENT),
    Number(
        "trajectory_residual",
        "1",
        "distance of the network from the plane / its distance from the one in the centre",
        MOMENT,
    ),
    Number("trajectory_loss", "nat", "mean cross-entropy of the moment itself", MOMENT),
    Number("trajectory_accuracy", "1", "fraction classified right by it", MOMENT),
    Number("trajectory_surface_loss", "nat", "mean cross-entropy where the moment is drawn on the surface", MOMENT),
)
"""of the moments of a training"""


def write_points(place: Place, function: SurfaceFunction, centre: str, others: Sequence[Landmark]) -> dict[str, Any]:
    """The checkpoints that a plane goes through, the one in the centre first: a pass for each other."""
    if not others:
        return {}
    there = [function.at([0.0] * len(function.plane.directions)), *(function.network(other) for other in others)]
    places = [function.plane.project(point.displacement)[0] for point in there]
    names = [centre, *(other.name for other in others)]
    place.scale("surface/point", names, "1", "checkpoint on the plane")
    levels = [point.level for point in there]
    found = _along("point", places) | {
        "point_loss": [level.loss for level in levels],
        "point_accuracy": [level.accuracy for level in levels],
    }
    write(place, "surface", [number for number in POINTS if number.key in found], found)
    return {"networks": names} | found


def write_trajectory(place: Place, function: SurfaceFunction, moments: Sequence[Landmark]) -> dict[str, Any]:
    """Each moment's place on the plane, how far beside the plane it is, and its loss: two passes for each."""
    if not moments:
        return {}
    projected = [function.plane.project(moment.displacement) for moment in moments]
    distances = [moment.displacement.norm().item() for moment in moments]
    beside = [rest / far if far else 0.0 for (_, rest), far in zip(projected, distances, strict=True)]
    levels = [function.network(moment).level for moment in moments]
    below = [function.at(coordinates).level.loss for coordinates, _ in projected]
    place.scale("surface/moment", [moment.step for moment in moments], "1", "epochs or steps of training done")
    found = _along("trajectory", [coordinates for coordinates, _ in projected]) | {
        "trajectory_distance": distances,
        "trajectory_residual": beside,
        "trajectory_loss": [level.loss for level in levels],
        "trajectory_accuracy": [level.accuracy for level in levels],
        "trajectory_surface_loss": below,
    }
    write(place, "surface", [number for number in MOMENTS if number.key in found], found)
    return {"trajectory": {"moments": len(moments), "largest_residual": max(beside)}}


def _along(kind: str, places: Sequence[Sequence[float]]) -> dict[str, list[float]]:
    """The coordinates of several networks, axis by axis."""
    return {f"{kind}_{axis}": list(values) for axis, values in zip(AXES, zip(*places, strict=True), strict=False)}
