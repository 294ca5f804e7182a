"""The line or plane through a network that a surface is drawn on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.objective.directions import Direction
    from minima.store.hdf5.results import Place


@dataclass(frozen=True)
class Plane:
    """w + alpha d_1 (+ beta d_2)."""

    directions: Sequence[Direction]
    around: Sequence[Sequence[float]] = ()
    """coordinates of what the grid is to cover; nothing: the extent on both sides of the network"""

    @cached_property
    def rows(self) -> Tensor:
        """The directions as rows of a matrix (k, d)."""
        return torch.stack([direction.vector for direction in self.directions])

    @property
    def cosine(self) -> float:
        """The cosine of the angle between the first two directions."""
        one, other = self.directions[:2]
        return (one.vector @ other.vector).item() / (one.norm * other.norm)

    def displacement(self, at: Sequence[float]) -> Tensor:
        """(d,) from w itself to a point (alpha, beta), never from another point."""
        along = [step * direction.vector for step, direction in zip(at, self.directions, strict=True)]
        return along[0] if len(along) == 1 else along[0] + along[1]

    def held(self, _at: Sequence[float]) -> Mapping[str, Tensor]:
        """What else than the coordinates is another at a point: running statistics, by name."""
        return {}

    def project(self, displacement: Tensor) -> tuple[list[float], float]:
        """Coordinates of the nearest point of the plane, and its distance.

        They solve the Gram system (D D^T) c = D v of the directions D (k, d), which need be neither orthogonal nor of
        unit length.
        """
        rows = self.rows
        coordinates = torch.linalg.solve(rows @ rows.T, rows @ displacement)
        return coordinates.tolist(), (displacement - coordinates @ rows).norm().item()

    def write(self, place: Place) -> None:
        """Write the lengths of the directions, and the cosine between two."""
        place.scale("surface/direction", list(range(1, len(self.directions) + 1)), "1", "direction")
        norms = [direction.norm for direction in self.directions]
        relative = [direction.relative_norm for direction in self.directions]
        place.write("surface/direction_norm", norms, ("direction",), "1", "length of a direction")
        place.write("surface/relative_direction_norm", relative, ("direction",), "1", "its length / the weights' norm")
        if len(norms) > 1:
            place.write("surface/direction_cosine", self.cosine, (), "1", "cosine of the angle between the directions")

    def summary(self) -> dict[str, Any]:
        """What the JSON object says of it."""
        return {
            "direction_norms": [direction.norm for direction in self.directions],
            "relative_direction_norms": [direction.relative_norm for direction in self.directions],
        }
