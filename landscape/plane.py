"""The line or plane through a network that a surface is drawn on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from landscape.directions import random_direction
from landscape.streams import stream

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.directions import BiasesAndNorms, Direction, Normalise
    from landscape.objective import Objective
    from store.results import Place


@dataclass(frozen=True)
class Plane:
    """w + alpha d_1 (+ beta d_2)."""

    directions: Sequence[Direction]

    def displacement(self, at: Sequence[float]) -> Tensor:
        """(d,) from w itself to a point (alpha, beta), never from another point."""
        along = [step * direction.vector for step, direction in zip(at, self.directions, strict=True)]
        return along[0] if len(along) == 1 else along[0] + along[1]

    def write(self, place: Place) -> None:
        """The lengths of the directions."""
        place.scale("surface/direction", list(range(1, len(self.directions) + 1)), "1", "direction")
        norms = [direction.norm for direction in self.directions]
        relative = [direction.relative_norm for direction in self.directions]
        place.write("surface/direction_norm", norms, ("direction",), "1", "length of a direction")
        place.write("surface/relative_direction_norm", relative, ("direction",), "1", "its length / the weights' norm")


def random_plane(
    objective: Objective, axes: int, seed: int, normalise: Normalise, biases_and_norms: BiasesAndNorms
) -> Plane:
    """Along independent Gaussian draws, scaled like the weights (Li et al. 2018)."""
    draws = [stream(seed, "direction", axis) for axis in range(axes)]
    return Plane([random_direction(objective, draw, normalise, biases_and_norms) for draw in draws])
