"""Where other networks lie on a surface, and what their own loss is: checkpoints, and the moments of a training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from landscape.surface.grid import AXES

if TYPE_CHECKING:
    from landscape.surface.landmark import Landmark
    from landscape.surface.sheet import Sheet
    from minima.store.hdf5.results import Place

RESIDUAL = "distance of the network from the plane / its distance from the one in the centre"


def write_points(place: Place, sheet: Sheet, centre: str, others: Sequence[Landmark]) -> dict[str, Any]:
    """The checkpoints that a plane goes through, the one in the centre first: a pass for each other."""
    if not others:
        return {}
    spots = [sheet.at([0.0] * len(sheet.plane.directions)), *(sheet.network(other) for other in others)]
    places = [sheet.plane.project(spot.displacement)[0] for spot in spots]
    names = [centre, *(other.name for other in others)]
    place.scale("surface/point", names, "1", "checkpoint on the plane")
    levels = [spot.level for spot in spots]
    found = _coordinates("point", places) | {
        "point_loss": ([level.loss for level in levels], "nat", "mean cross-entropy of a checkpoint itself"),
        "point_accuracy": ([level.accuracy for level in levels], "1", "fraction classified right by it"),
    }
    for name, (values, units, meaning) in found.items():
        place.write(f"surface/{name}", values, ("point",), units, meaning)
    return {"networks": names} | {name: values for name, (values, _, _) in found.items()}


def write_trajectory(place: Place, sheet: Sheet, moments: Sequence[Landmark]) -> dict[str, Any]:
    """Each moment's place on the plane, how far beside the plane it is, and its loss: two passes for each."""
    if not moments:
        return {}
    projected = [sheet.plane.project(moment.displacement) for moment in moments]
    distances = [moment.displacement.norm().item() for moment in moments]
    beside = [rest / far if far else 0.0 for (_, rest), far in zip(projected, distances, strict=True)]
    levels = [sheet.network(moment).level for moment in moments]
    below = [sheet.at(coordinates).level.loss for coordinates, _ in projected]
    place.scale("surface/moment", [moment.step for moment in moments], "1", "epochs or steps of training done")
    found = _coordinates("trajectory", [coordinates for coordinates, _ in projected]) | {
        "trajectory_distance": (distances, "1", "distance of a moment's weights from the network in the centre"),
        "trajectory_residual": (beside, "1", RESIDUAL),
        "trajectory_loss": ([level.loss for level in levels], "nat", "mean cross-entropy of the moment itself"),
        "trajectory_accuracy": ([level.accuracy for level in levels], "1", "fraction classified right by it"),
        "trajectory_surface_loss": (below, "nat", "mean cross-entropy where the moment is drawn on the surface"),
    }
    for name, (values, units, meaning) in found.items():
        place.write(f"surface/{name}", values, ("moment",), units, meaning)
    return {"trajectory": {"moments": len(moments), "largest_residual": max(beside)}}


def _coordinates(kind: str, places: Sequence[Sequence[float]]) -> dict[str, tuple[list[float], str, str]]:
    along = zip(*places, strict=True)
    return {
        f"{kind}_{axis}": (list(values), "1", f"where a {kind}'s network is drawn along {axis}")
        for axis, values in zip(AXES, along, strict=False)
    }
