"""A surface to a given error: of most points only some examples are seen, and of many none (see `multilevel`)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from landscape.objective.streams import stream
from landscape.surface.estimate.kriging import krige
from landscape.surface.estimate.level_samples import LevelSamples
from landscape.surface.estimate.multilevel import BEYOND, Estimate, Multilevel
from landscape.surface.estimate.nat_or_relative import allowed, compress, expand, nats
from landscape.surface.filling import score_array
from minima.store.messages import note, progress_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landscape.surface.estimate.kriging import Points, Values
    from landscape.surface.grid import Grid
    from landscape.surface.surface_function import SurfaceFunction
    from minima.store.hdf5.results import Place
    from minima.zoo.losses.loss import Loss


def fill_within(place: Place, grid: Grid, function: SurfaceFunction, name: str, error: float) -> dict[str, Any]:
    """Loss and accuracy over the grid, |error of the loss| <= error x max(loss, 1 nat) in 99 % of the cells.

    Beside them are written the estimated error of each cell, how many examples it was evaluated with, and which cells
    were held out for a check. Returns what the JSON object says of it. A run that was stopped asks the same again, and
    is answered from what it had found. The accuracy is interpolated likewise, without a promise.
    """
    samples = LevelSamples(place, grid, function)
    if samples.score.name not in ("accuracy", None):
        note(f"{name}: {samples.score.name} is no mean over examples, so that it is not estimated: leave --error out")
    places = _places(grid)
    with progress_bar(desc=name, unit="pass") as bar:
        found = _estimate(samples, places, error, function, bar)
    _write(place, grid, samples, places, found, function.objective.task.loss)
    return {
        "forward_passes": float(samples.examples.sum()) / samples.levels[-1],
        "error": {
            "asked": error,
            "kept": found.beyond <= BEYOND,
            "cells_beyond": found.beyond,
            "exact_points": int((samples.examples == samples.levels[-1]).sum()),
            "held_out": len(found.checked),
            "held_out_beyond": int((found.misses > 1).sum()),
            "held_out_largest": error * float(found.misses.max(initial=0.0)),
        },
    }


def _places(grid: Grid) -> Points:
    """(cells, axes), from -1 to 1."""
    axes = [np.linspace(-1, 1, count) for count in grid.shape]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(grid.points, len(axes))


def _estimate(samples: LevelSamples, places: Points, error: float, function: SurfaceFunction, bar: Any) -> Estimate:
    """The first rank decides what is asked; the others answer along with it."""
    ranks = function.objective.ranks

    def ask(level: int, cells: Sequence[int]) -> Values:
        ranks.tell((level, cells))
        return compress(samples.answer(level, cells, bar.update))

    if ranks.first:
        found = Multilevel(
            places, samples.levels, ask, partial(allowed, error), stream(function.seed, "held out")
        ).run()
        ranks.tell(None)
        return ranks.tell(found)
    while (request := ranks.tell(None)) is not None:
        level, cells = request
        samples.answer(level, cells, bar.update)
    return ranks.tell(None)


def _write(place: Place, grid: Grid, samples: LevelSamples, places: Points, found: Estimate, loss: Loss) -> None:
    losses = np.where(np.isnan(samples.losses[-1]), expand(found.values), samples.losses[-1])
    error = np.where(found.error > 0, found.error * nats(found.values), 0)
    held_out = np.zeros(grid.points, np.int8)
    held_out[found.checked] = 1
    score, meaning = score_array(samples.score)
    arrays = [
        (score, _accuracies(samples, places), "1", f"{meaning}, interpolated; NaN where that cannot be"),
        ("loss", losses, loss.unit, f"mean {loss.name} to the error asked for; inf where it overflows"),
        ("loss_error", error, "nat", "which 99 of 100 errors are estimated to be below"),
        ("examples", samples.examples, "1", "examples that a point was evaluated with; of 0 it is interpolated"),
        ("held_out", held_out, "1", "1 where the loss was predicted first and then evaluated"),
    ]
    for name, values, units, words in arrays:
        place.write(f"surface/{name}", values.reshape(grid.shape), grid.axes, units, words)


def _accuracies(samples: LevelSamples, places: Points) -> Values:
    """Interpolated level by level like the loss, where that is defined."""
    total = np.zeros(len(places))
    for increments in np.diff(samples.accuracies, axis=0, prepend=0.0):
        known = np.flatnonzero(~np.isnan(increments))
        total += krige(places, known.tolist(), increments[known]).values if len(known) else np.nan
    return np.clip(total, 0.0, 1.0)
