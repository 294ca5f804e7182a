"""A surface's points, evaluated exactly, row by row; a run that was stopped goes on at the row it was at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minima.store.hdf5.labelled import to_array
from minima.store.messages import progress_bar

if TYPE_CHECKING:
    from landscape.surface.field import Field
    from landscape.surface.grid import Grid
    from landscape.surface.pencil import Lines
    from landscape.surface.sheet import Sheet
    from minima.store.hdf5.results import Place, Rows


def fill(place: Place, grid: Grid | Lines, sheet: Sheet, name: str, fields: Sequence[Field] = ()) -> None:
    """Loss and accuracy at every point of the grid, and what else was asked for; where the loss overflows it is inf."""
    accuracies = place.rows("surface/accuracy", grid.shape, grid.axes, "1", "fraction of the examples classified right")
    losses = place.rows("surface/loss", grid.shape, grid.axes, "nat", "mean cross-entropy; inf where it overflows")
    maps = _maps(place, grid, sheet, fields)
    for row in progress_bar(losses.missing(), desc=name, unit="row"):
        found = [_found(sheet, at, fields) for at in grid.row(row)]
        for key, rows in (*maps.items(), ("accuracy", accuracies), ("loss", losses)):
            values = np.stack([to_array(each[key]) for each in found], axis=-1)  # (..., points)
            before = [slice(None)] * (values.ndim - 1)
            rows.set((*before, row), values if len(grid.shape) > 1 else values[..., 0])  # the loss last: now it is done


def _found(sheet: Sheet, at: Sequence[float], fields: Sequence[Field]) -> dict[str, Any]:
    """Everything at one point."""
    spot = sheet.at(at)
    found = {key: value for field in fields for key, value in field.values(spot).items()}
    return found | {"loss": spot.level.loss, "accuracy": spot.level.accuracy}


def _maps(place: Place, grid: Grid | Lines, sheet: Sheet, fields: Sequence[Field]) -> dict[str, Rows]:
    lengths = {"class": sheet.classes, "direction": len(sheet.plane.directions)}
    maps = [each for field in fields for each in field.maps if each.axes <= lengths["direction"]]
    if any(each.along == "class" for each in maps):
        place.scale("surface/class", list(range(sheet.classes)), "1", "class")
    found = {}
    for each in maps:
        leading = [] if each.along is None else [each.along]
        shape, dims = [*(lengths[name] for name in leading), *grid.shape], [*leading, *grid.axes]
        found[each.name] = place.rows(f"surface/{each.name}", shape, dims, each.units, each.long_name)
    return found
