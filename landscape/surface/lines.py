"""Many lines through one network: how much a one-dimensional surface depends on the direction that was drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from landscape.surface.plane import Plane

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.surface.grid import Grid
    from minima.store.hdf5.results import Place

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True)
class RandomLines(Plane):
    """Lines w + alpha d_line through the network, each along a direction of its own, in the place of a plane."""

    def displacement(self, at: Sequence[float]) -> Tensor:
        line, step = at
        return step * self.directions[int(line)].vector


@dataclass(frozen=True)
class Lines:
    """The points of several lines, a line to a row."""

    count: int
    grid: Grid
    """of one of them"""

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of lines, and of points on each."""
        return self.count, *self.grid.shape

    @property
    def axes(self) -> tuple[str, ...]:
        """The names of the axes: the line, and where on it."""
        return "line", *self.grid.axes

    def row(self, index: int) -> list[tuple[float, ...]]:
        """The points of a line: its index, and the coordinate on it."""
        return [(index, step) for step in self.grid.coordinates(0)]


def write_spread(place: Place) -> dict[str, Any]:
    """Mean, standard deviation and quantiles of the loss over lines at each coordinate."""
    losses = place.read("surface/loss")  # (lines, points)
    with np.errstate(invalid="ignore"):  # a line that overflows makes the mean infinite and the deviation NaN
        mean, spread = losses.mean(0), losses.std(0, ddof=1)
    band = np.quantile(losses, QUANTILES, axis=0, method="inverted_cdf")
    place.scale("surface/quantile", QUANTILES, "1", "fraction of the lines whose loss is not higher")
    place.write("surface/loss_mean", mean, ("alpha",), "nat", "mean of the loss over lines")
    place.write("surface/loss_spread", spread, ("alpha",), "nat", "standard deviation of the loss over lines")
    place.write("surface/loss_quantile", band, ("quantile", "alpha"), "nat", "quantiles of the loss over lines")
    ends = [losses[:, end] for end in (0, -1)]
    return {"line_ends": {"mean": [float(end.mean()) for end in ends], "spread": [float(spread[0]), float(spread[-1])]}}
