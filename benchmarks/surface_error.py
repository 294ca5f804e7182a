"""Whether `landscape.surface --error` keeps its promise, and what it spares: beside the exact surface, cell by cell.

Both surfaces are made by the command itself, so they are kept under out/benchmarks, reused, and resumed when stopped.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from benchmarks.kept import keep
from benchmarks.networks import FOLDER
from minima.store.command import Command, Report, note, render_table, run

if TYPE_CHECKING:
    from landscape.objective.objective import Objective
    from landscape.surface.plane import Plane

OUT = FOLDER / "surface-error.json"
COLUMNS = (
    "checkpoint",
    "images",
    "seed",
    "extent",
    "highest",
    "passes",
    "of exact",
    "time of exact",
    "beyond",
    "cells",
)
NOTE = """highest: loss of the highest cell, nat. passes: over all images; of exact: of a pass for each cell.
beyond: share of the cells whose true error exceeds E x max(loss, 1 nat), over the cells checked."""


@dataclass(frozen=True, kw_only=True)
class SurfaceError(Command):
    """The true errors of surfaces to a given error."""

    checkpoint: tyro.conf.Positional[Path]
    data: str | None = None
    """as of landscape.surface"""
    images: int = 256
    """examples of the train split"""
    error: float = 0.02
    """E"""
    grid: int = 51
    """points a side"""
    heights: tuple[float, ...] = (5.0, 500.0)
    """nat: for each the extent is sought at which a corner or the middle of a side is so high"""
    seeds: tuple[int, ...] = (0, 1, 2)
    """of the directions and the examples"""
    cells: int | None = None
    """check a random sample of so many cells, without an exact surface (default: all)"""


def main(arguments: SurfaceError) -> Report:
    """A row for each height and seed."""
    rows = []
    for height in arguments.heights:
        for seed in arguments.seeds:
            note(f"{arguments.checkpoint.stem}: up to {height:g} nat, seed {seed}")
            rows.append(_compare(arguments, height, seed))
    keep(OUT, {"error": arguments.error, "rows": rows})
    return Report({"rows": rows}, f"{render_table(COLUMNS, [[row[key] for key in COLUMNS] for row in rows])}\n\n{NOTE}")


def _compare(arguments: SurfaceError, height: float, seed: int) -> dict[str, Any]:
    import h5py
    import numpy as np

    objective, plane = _plane(arguments, seed)
    extent = _extent(objective, plane, height)
    thrifty = _surface(arguments, seed, extent, error=arguments.error)
    with h5py.File(thrifty["out"]) as file:
        loss = file["surface/loss"][()]
    exact = _surface(arguments, seed, extent) if arguments.cells is None else None
    if exact is not None:
        with h5py.File(exact["out"]) as file:
            truth, cells = file["surface/loss"][()].ravel(), np.arange(loss.size)
    else:
        cells = np.random.default_rng(seed).choice(loss.size, arguments.cells, replace=False)
        axis = np.linspace(-extent, extent, arguments.grid)
        corners = [(axis[cell // arguments.grid], axis[cell % arguments.grid]) for cell in cells]
        truth = np.array([objective.loss(plane.displacement(corner)) for corner in corners])
    beyond = np.abs(loss.ravel()[cells] - truth) > arguments.error * np.maximum(truth, 1)
    found = (arguments.checkpoint.stem, arguments.images, seed, extent, float(loss.max()), thrifty["forward_passes"])
    share = thrifty["forward_passes"] / loss.size
    time = None if exact is None else thrifty["seconds"] / exact["seconds"]
    return dict(zip(COLUMNS, [*found, share, time, float(beyond.mean()), len(cells)], strict=True))


def _plane(arguments: SurfaceError, seed: int) -> tuple[Objective, Plane]:
    from landscape.objective.directions import random_direction
    from landscape.objective.objective import Objective
    from landscape.objective.streams import stream
    from landscape.surface.plane import Plane
    from minima.zoo.subject.subject import load_subject

    subject = load_subject(arguments.checkpoint, data=arguments.data, samples=arguments.images)
    objective = Objective(subject.model, subject.x, subject.y, masks=subject.masks)
    return objective, Plane([random_direction(objective, stream(seed, "direction", axis)) for axis in (0, 1)])


def _extent(objective: Objective, plane: Plane, height: float) -> float:
    """By bisection, to 2 %, of the first 128 examples."""
    few = objective.part(0, 128)
    rim = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b]
    low, high = 0.0, 0.02

    def highest(extent: float) -> float:
        return max(few.loss(plane.displacement((a * extent, b * extent))) for a, b in rim)

    while highest(high) < height:
        low, high = high, 2 * high
    while high - low > 0.02 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if highest(middle) < height else (low, middle)
    return round(high, 3)


def _surface(arguments: SurfaceError, seed: int, extent: float, error: float | None = None) -> dict[str, Any]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    kind = "exact" if error is None else f"within-{error:g}"
    name = f"{arguments.checkpoint.stem}-{arguments.images}-{seed}-{arguments.grid}-{extent:g}.{kind}"
    out = FOLDER / f"{name}.surface.h5"
    line = [sys.executable, "-m", "landscape.surface", str(arguments.checkpoint), "-o", str(out), "--json"]
    line += ["--grid", str(arguments.grid), "--extent", str(extent), "--seed", str(seed)]
    line += ["--samples", str(arguments.images)] + (["--data", arguments.data] if arguments.data else [])
    line += [] if error is None else ["--error", str(error)]
    return dict(json.loads(subprocess.run(line, check=True, stdout=subprocess.PIPE, text=True).stdout))


if __name__ == "__main__":
    run(SurfaceError, main, prog="python -m benchmarks.surface_error", description=__doc__ or "")
