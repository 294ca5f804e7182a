"""The shape of a surface: basins, loops, the curvature at its centre, how much of it is convex."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from landscape.surface.grid import AXES
from landscape.topology.basins import Basins, find_basins, margin
from landscape.topology.persistence import persistence
from landscape.topology.surface_curvature import QuadraticFit, convex_share, fit_at_centre, metric_root

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landscape.surface.drawn_surface import DrawnSurface
    from minima.store.hdf5.results import Place


@dataclass(frozen=True)
class Shape:
    """The shape of one surface: its basins, loops and quadratic fit."""

    surface: DrawnSurface
    basins: Basins
    loops: NDArray[np.int64]
    """(k, 2) the points where a valley closes around a hill, and its top"""
    fit: QuadraticFit | None
    convex_share: float | None

    @property
    def counts(self) -> tuple[int, int]:
        """The numbers of basins and of loops."""
        return len(self.basins.minima), len(self.loops)

    def summary(self) -> dict[str, Any]:
        """What the JSON object says of it; what never merges has no depth."""
        surface, basins = self.surface, self.basins
        own = {key: surface.summary[key] for key in ("loss", "accuracy", "samples", "split", "seed")}
        own["loss_unit"] = surface.loss_unit
        centre, fit = int(basins.belonging.flat[surface.centre]), self.fit
        return own | {
            "shape": list(surface.loss.shape),
            "walls": int((basins.belonging < 0).sum()),
            "largest_loss_error": None if surface.error is None else float(surface.error.max()),
            "minima": len(basins.minima),
            "basins": [self._basin(number) for number in range(len(basins.minima))],
            "centre_basin": centre + 1 if centre >= 0 else None,
            "centre_share": _share(basins, centre) if centre >= 0 else None,
            "loops": len(self.loops),
            "slope": fit and fit.slope,
            "curvatures": fit and list(fit.curvatures),
            "condition": fit and fit.condition,
            "orientation": fit and fit.orientation,
            "convex_share": self.convex_share,
        }

    def write(self, place: Place, counts: tuple[int, int]) -> None:
        """Write the shape to a place whose arrays have room for so many basins and loops."""
        surface, basins = self.surface, self.basins
        axes = AXES[: surface.loss.ndim]
        for name, along in zip(axes, surface.coordinates, strict=True):
            place.scale(f"topology/{name}", along, "1", f"coordinate along direction {name}")
        place.write("topology/loss", surface.loss, axes, "nat", "mean loss of the examples used")
        place.write("topology/basin_of_point", basins.belonging + 1, axes, "1", "number of its basin; 0: a wall")
        place.scale("topology/basin", list(range(1, counts[0] + 1)), "1", "basin, the deepest first")
        self._write_points(place, "minimum", basins.minima, counts[0], "basin")
        self._write_points(place, "saddle", basins.saddles, counts[0], "basin")
        depth, parent = _room(basins.depths, counts[0], np.nan), _room(basins.parents + 1, counts[0], 0)
        place.write("topology/depth", depth, ("basin",), "nat", "loss at the saddle less that at the minimum")
        place.write("topology/parent", parent, ("basin",), "1", "the basin it merges with; 0: none")
        place.scale("topology/loop", list(range(1, counts[1] + 1)), "1", "valley closed around a hill")
        self._write_points(place, "ring", self.loops[:, 0], counts[1], "loop")
        self._write_points(place, "hill", self.loops[:, 1], counts[1], "loop")

    def _write_points(self, place: Place, name: str, points: NDArray[np.int64], room: int, dim: str) -> None:
        """Coordinates and loss of some points; NaN where there is none."""
        known = [self._point(int(point)) if point >= 0 else {} for point in points]
        for key in (*AXES[: self.surface.loss.ndim], "loss"):
            values = _room(np.array([each.get(key, np.nan) for each in known]), room, np.nan)
            place.write(f"topology/{name}_{key}", values, (dim,), "nat" if key == "loss" else "1", f"{name}: {key}")

    def _basin(self, number: int) -> dict[str, Any]:
        basins, saddle = self.basins, int(self.basins.saddles[number])
        merges = saddle >= 0
        minimum = int(basins.minima[number])
        return self._point(minimum) | {
            "at_edge": self._at_edge(minimum),
            "share": _share(basins, number),
            "depth": float(basins.depths[number]) if merges else None,
            "merges_with": int(basins.parents[number]) + 1 if merges else None,
            "saddle": self._point(saddle) if merges else None,
        }

    def _point(self, point: int) -> dict[str, float]:
        named = zip(AXES, self.surface.at(point), strict=False)
        return {**dict(named), "loss": float(self.surface.loss.flat[point])}

    def _at_edge(self, point: int) -> bool:
        places = np.unravel_index(point, self.surface.loss.shape)
        return any(place in (0, count - 1) for place, count in zip(places, self.surface.loss.shape, strict=True))


def find_shape(surface: DrawnSurface, prominence: float | None = None) -> Shape:
    """Find basins, loops and the quadratic fit of a surface; only what lasts longer than `prominence` counts (see
    `landscape.topology.basins.margin`).
    """
    values, flat = surface.loss, np.where(np.isfinite(surface.loss), surface.loss, np.inf).ravel()
    needed = margin(values, prominence, surface.error)
    loops = persistence(values, 1)
    lasting = flat[loops[:, 1]] - flat[loops[:, 0]] > needed[loops].sum(1)
    root = metric_root(surface.norms, surface.cosine)
    return Shape(
        surface,
        find_basins(values, needed),
        loops[lasting],
        fit_at_centre(surface.coordinates, values, root),
        convex_share(values),
    )


def _share(basins: Basins, number: int) -> float:
    return float((basins.belonging == number).mean())


def _room(values: NDArray[Any], room: int, fill: float) -> NDArray[Any]:
    return np.concatenate([values, np.full(room - len(values), fill, dtype=values.dtype)])
