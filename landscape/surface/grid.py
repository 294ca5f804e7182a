"""The points of a loss surface."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from minima.store.command import BadInput

AXES = ("alpha", "beta")
"""names of the coordinates, in JSON and in files"""
MARGIN = 0.2
"""of the larger side of a box around networks, left free around them at an extent of 1"""


@dataclass(frozen=True)
class Grid:
    """Points along each axis, of one or two."""

    shape: tuple[int, ...]
    extent: float
    centre: tuple[float, ...] = ()
    """of the grid, where that is not the network"""
    reach: tuple[float, ...] = ()
    """from there to both sides, where that is not the extent"""

    def coordinates(self, axis: int) -> list[float]:
        """Evenly spaced from -extent to extent, exactly symmetric, with an exact 0 in the middle of an odd number.

        >>> Grid((5,), 1.0).coordinates(0)
        [-1.0, -0.5, 0.0, 0.5, 1.0]
        """
        last = self.shape[axis] - 1
        middle = self.centre[axis] if self.centre else 0.0
        reach = self.reach[axis] if self.reach else self.extent
        return [middle + reach * ((2 * index - last) / last) for index in range(last + 1)] if last else [0.0]

    def around(self, places: Sequence[Sequence[float]]) -> Grid:
        """A grid of as many points over the box that holds some places, with a margin on all sides.

        >>> Grid((3, 2), 0.5).around([(0.0, 0.0), (10.0, 4.0)]).coordinates(1)
        [-1.0, 5.0]
        """
        sides = [(min(along), max(along)) for along in zip(*places, strict=True)]
        margin = MARGIN * self.extent * max(high - low for low, high in sides)
        centre = tuple((low + high) / 2 for low, high in sides)
        return replace(self, centre=centre, reach=tuple((high - low) / 2 + margin for low, high in sides))

    @property
    def axes(self) -> tuple[str, ...]:
        """The names of the grid's axes."""
        return AXES[: len(self.shape)]

    @property
    def points(self) -> int:
        """The number of the grid's points."""
        return math.prod(self.shape)

    def row(self, index: int) -> list[tuple[float, ...]]:
        """The points with one first coordinate, by ascending second: a single one on a line.

        >>> Grid((3, 2), 1.0).row(0), Grid((3,), 1.0).row(0)
        ([(-1.0, -1.0), (-1.0, 1.0)], [(-1.0,)])
        """
        first = self.coordinates(0)[index]
        return [(first, second) for second in self.coordinates(1)] if len(self.shape) > 1 else [(first,)]

    @property
    def has_centre(self) -> bool:
        """Whether a point of the grid is the network itself."""
        return all(0.0 in self.coordinates(axis) for axis in range(len(self.shape)))


def parse_grid(text: str, extent: float) -> Grid:
    """`N` (N x N points), `NxM`, or `Nx1` for a line along the first direction.

    >>> parse_grid("51", 1.0).shape, parse_grid("25x13", 1.0).shape, parse_grid("101x1", 1.0).shape
    ((51, 51), (25, 13), (101,))
    """
    found = re.fullmatch(r"(\d+)(?:x(\d+))?", text.strip())
    counts = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if min(counts) < 1 or counts[0] < 2:
        raise BadInput(f"--grid {text}: expected N, NxM or Nx1 (a line), N at least 2, such as 51 or 51x1")
    if not 0 < extent < float("inf"):
        raise BadInput(f"--extent {extent}: expected a positive number, such as 1")
    return Grid(counts if counts[1] > 1 else counts[:1], extent)
