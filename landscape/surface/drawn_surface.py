"""The surfaces in a finished file of `landscape.surface`, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from landscape.surface.grid import AXES
from minima.store.command import BadInput
from minima.store.hdf5.opening import opened
from minima.store.hdf5.results import FORMAT, VERSION
from minima.store.hdf5.summaries import summaries_in

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from minima.store.hdf5.view import Group


@dataclass(frozen=True)
class DrawnSurface:
    """The surface of one checkpoint, read from a results file."""

    checkpoint: str
    summary: dict[str, Any]
    coordinates: tuple[NDArray[np.float64], ...]
    """(points,) along each of its one or two axes"""
    loss: NDArray[np.float64]
    """in the shape of the grid; what is not finite is a wall"""
    error: NDArray[np.float64] | None
    """estimated of each point; None of an exact surface"""
    norms: tuple[float, ...]
    """lengths of the directions"""
    cosine: float
    """of the angle between them; on a line 0, NaN where the file does not say"""

    @property
    def loss_unit(self) -> str:
        """The unit of the loss, as it is on the axis of a picture."""
        return str(self.summary.get("loss_unit", "nat"))

    @property
    def centre(self) -> int:
        """The point nearest the network, counted in C order; the last of equally near ones."""
        nearest = [len(along) - 1 - int(np.argmin(np.abs(along[::-1]))) for along in self.coordinates]
        return int(np.ravel_multi_index(nearest, self.loss.shape))

    def at(self, point: int) -> tuple[float, ...]:
        """The coordinates of a point, given by its place in the flattened grid."""
        places = np.unravel_index(point, self.loss.shape)
        return tuple(float(along[place]) for along, place in zip(self.coordinates, places, strict=True))


def read_surfaces(path: Path) -> tuple[list[DrawnSurface], list[str]]:
    """The surfaces in a results file, one for each checkpoint, and the SHA-256 of the checkpoint files.

    Raises:
        BadInput: it holds something else.
    """
    with opened(path, FORMAT, VERSION) as file:
        if file.attrs["measure"] != "surface":
            raise BadInput(f"{path} holds a result of {file.attrs['measure']}, expected one of landscape.surface")
        if "line" in file["surface"]:
            raise BadInput(f"{path} holds several lines; expected a surface of one line or plane, without --lines")
        names, summaries = [str(name) for name in file.attrs["checkpoint"]], summaries_in(file)
        several = len(names) > 1
        found = [
            _surface(file["surface"], index if several else (), name, summary)
            for index, (name, summary) in enumerate(zip(names, summaries, strict=True))
        ]
        return found, [str(each) for each in file.attrs["sha256"]]


def _surface(group: Group, own: Any, name: str, summary: dict[str, Any]) -> DrawnSurface:
    norms = tuple(group["direction_norm"][own].tolist())
    unknown = 0.0 if len(norms) == 1 else np.nan
    return DrawnSurface(
        name,
        summary,
        tuple(group[axis][()] for axis in AXES if axis in group),
        group["loss"][own],
        group["loss_error"][own] if "loss_error" in group else None,
        norms,
        float(group["direction_cosine"][own]) if "direction_cosine" in group else unknown,
    )
