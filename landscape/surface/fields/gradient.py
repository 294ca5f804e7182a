"""The gradient of the loss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from landscape.surface.field import Field, Map

if TYPE_CHECKING:
    from landscape.surface.surface_function import SurfacePoint


@dataclass(frozen=True)
class Gradient(Field):
    """Its norm over all weights that may move, and its components in the plane: how much of it the picture shows."""

    name: ClassVar[str] = "gradient"
    gradients: ClassVar[int] = 1
    maps: ClassVar[Sequence[Map]] = (
        Map("map_gradient_norm", "nat", "norm of the gradient of the loss; NaN where it is not finite"),
        Map("map_slope", "nat", "derivative of the loss with respect to the coordinate", "direction"),
    )

    def values(self, point: SurfacePoint) -> Mapping[str, Any]:
        from landscape.objective.finite import NotFinite

        try:
            gradient = point.objective.gradient(point.displacement)
        except NotFinite:
            return {"map_gradient_norm": math.nan, "map_slope": [math.nan] * len(point.function.plane.directions)}
        return {"map_gradient_norm": gradient.norm().item(), "map_slope": point.function.plane.rows @ gradient}
