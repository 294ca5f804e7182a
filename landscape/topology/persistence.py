"""Where the basins of a surface, and the valleys that close around a hill, appear and go as the level rises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from minima.store.command import BadInput

if TYPE_CHECKING:
    from numpy.typing import NDArray


def persistence(values: NDArray[np.float64], dimension: int) -> NDArray[np.int64]:
    """(k, 2) the points at which features of {loss <= level} appear and go, by gudhi's cubical complex.

    Dimension 0: basins, from a minimum to the saddle where a lower one takes it in. Dimension 1: loops, from the saddle
    where a ring closes to the top of the hill that fills it; round a wall, to one of its points. Features that never go
    or last no time are left out. Grid points are counted in C order, and what is not finite is a wall. Points that
    touch at their corners only are neighbours for basins and not for loops: neither a narrow valley nor a narrow ridge
    across the grid falls to pieces. Edelsbrunner, Letscher & Zomorodian 2002, Topological Persistence and
    Simplification.

    Raises:
        BadInput: gudhi is not installed.

    >>> persistence(np.array([[0.0, 0.0, 0.0], [0.0, 7.0, 0.0], [0.0, 1.0, 0.0]]), 1).tolist()
    [[7, 4]]
    """
    try:
        import gudhi
    except ImportError as error:
        raise BadInput("the topology of a surface needs gudhi. Type: pip install -c constraints.txt gudhi") from error
    walled = np.where(np.isfinite(values), values, np.inf)
    cells = gudhi.CubicalComplex(**{"vertices" if dimension else "top_dimensional_cells": walled})
    cells.compute_persistence(min_persistence=0)
    passing, _ = cells.vertices_of_persistence_pairs() if dimension else cells.cofaces_of_persistence_pairs()
    pairs = passing[dimension] if dimension < len(passing) else np.zeros((0, 2), dtype=np.int64)
    places = np.unravel_index(pairs, values.shape, order="F")
    return np.asarray(np.ravel_multi_index(places, values.shape), dtype=np.int64)
