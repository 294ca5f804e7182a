"""The plane closest to a training's course (Li et al. 2018, "Visualizing the Loss Landscape of Neural Nets")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.surface.spanning import Centre, Spanning

if TYPE_CHECKING:
    from landscape.surface.plane import Plane


@dataclass(frozen=True)
class Trajectory(Spanning):
    """Principal axes of w_i - w over the kept moments w_i, of length 1: coordinates are distances of weights."""

    name: ClassVar[str] = "trajectory"
    needs: ClassVar[str | None] = "trajectory"

    def plane(self, centre: Centre) -> Plane:
        import torch

        from landscape.objective.directions import described
        from landscape.surface.plane import Plane
        from landscape.surface.principal import Principal, principal_axes

        rows = torch.stack([moment.displacement for moment in centre.moments])
        axes, explained = principal_axes(rows, centre.axes)
        directions = [described(axis, centre.objective.coordinates) for axis in axes]
        places = [Plane(directions).project(row)[0] for row in rows]
        return Principal(directions, ([0.0] * centre.axes, *places), explained)
