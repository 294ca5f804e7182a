"""The shapes of measured surfaces, written to a results file."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from landscape.topology.shape import find_shape

if TYPE_CHECKING:
    from landscape.surface.drawn_surface import DrawnSurface
    from minima.store.hdf5.results import Results


def fill(results: Results, surfaces: list[DrawnSurface], prominence: float | None) -> None:
    """Find the shape of every surface and write it; arrays have room for the most basins that one of them has."""
    start = time.perf_counter()
    shapes = [find_shape(surface, prominence) for surface in surfaces]
    seconds = (time.perf_counter() - start) / len(shapes)
    basins, loops = (max(numbers) for numbers in zip(*(shape.counts for shape in shapes), strict=True))
    for index, shape in enumerate(shapes):
        shape.write(results.place(index, surfaces[index].loss_unit), (basins, loops))
        results.mark_done(index, shape.summary() | {"seconds": seconds, "compile_seconds": 0.0})
