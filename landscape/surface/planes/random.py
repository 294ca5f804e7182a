"""Random directions scaled like the weights (Li et al. 2018, "Visualizing the Loss Landscape of Neural Nets")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.objective.streams import stream
from landscape.surface.spanning import Centre, Spanning
from minima.store.command import BadInput

if TYPE_CHECKING:
    from landscape.objective.directions import BiasesAndNorms, Normalise
    from landscape.surface.plane import Plane


@dataclass(frozen=True)
class Random(Spanning):
    """Independent Gaussian draws; they are not made orthogonal, since in many dimensions they nearly are."""

    name: ClassVar[str] = "random"

    normalise: Normalise = "filter"
    biases_and_norms: BiasesAndNorms = "ignore"

    def plane(self, centre: Centre) -> Plane:
        from landscape.objective.directions import random_direction
        from landscape.surface.plane import Plane

        draws = [stream(centre.seed, "direction", axis) for axis in range(centre.axes)]
        scaled = (self.normalise, self.biases_and_norms)
        directions = [random_direction(centre.objective, draw, *scaled) for draw in draws]
        if not all(direction.norm for direction in directions):
            raise BadInput(
                "no weight moves along a random direction: those that may are biases, normalisation or zeros.\n"
                "Type --biases-and-norms scale, or with zeros --normalise none"
            )
        return Plane(directions)
