"""The plane through three checkpoints (Garipov et al. 2018, "Loss Surfaces, Mode Connectivity, and Fast Ensembling").

With one other checkpoint it is the line through both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.surface.spanning import Centre, Spanning
from minima.store.command import BadInput

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.surface.landmark import Landmark
    from landscape.surface.plane import Plane

LEAST_ANGLE = 0.1
"""degrees between the ways to two checkpoints: below, their weights' rounding decides where the plane lies"""


@dataclass(frozen=True)
class Checkpoints(Spanning):
    """Axes of length 1 by Gram-Schmidt, so that coordinates are distances of weights and angles are true."""

    name: ClassVar[str] = "checkpoints"
    needs: ClassVar[str | None] = "through"

    def plane(self, centre: Centre) -> Plane:
        from landscape.objective.directions import described
        from landscape.surface.interpolating import Interpolating
        from landscape.surface.plane import Plane

        names = [centre.subject.name, *(each.name for each in centre.through)]
        axes: list[Tensor] = []
        for other in centre.through:
            axes.append(_beyond(axes, other, names))
        directions = [described(axis, centre.objective.coordinates) for axis in axes]
        places = [Plane(directions).project(other.displacement)[0] for other in centre.through]
        own = centre.objective.model.state_dict()
        held = [{name: own[name] for name in centre.through[0].held}, *(other.held for other in centre.through)]
        return Interpolating(directions, ([0.0] * len(axes), *places), held, list(centre.objective.coordinates.fixed))


def _beyond(axes: Sequence[Tensor], other: Landmark, names: Sequence[str]) -> Tensor:
    """The unit vector of what a displacement has beside the axes so far."""
    rest, length = other.displacement, other.displacement.norm().item()
    if not length:
        raise BadInput(f"{other.name} has the same weights as {names[0]}: no direction leads from one to the other")
    for axis in [*axes, *axes]:  # twice: the second time for the rounding of the first
        rest = rest - (axis @ rest) * axis
    angle = math.degrees(math.asin(min(1.0, rest.norm().item() / length)))
    if angle < LEAST_ANGLE:
        raise BadInput(
            f"{', '.join(names)} lie on one line: {angle:.2f} degrees between the ways from the first to the others, "
            f"at least {LEAST_ANGLE} expected.\nName another one with --through, or draw the line with --grid Nx1"
        )
    return rest / rest.norm()
