"""The Hessian of the loss: within the plane, and its trace."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from landscape.objective.streams import stream
from landscape.surface.field import Field, Map

if TYPE_CHECKING:
    from landscape.surface.surface_function import SurfacePoint


PROBES = 4
"""random sign vectors, whose products share the graph with those of the axes"""


@dataclass(frozen=True)
class Curvature(Field):
    """Second derivatives in the plane, exact, and the trace over all weights that may move, from few random probes.

    The probes are the same at all points, so that the trace's error hardly changes from one point to the next.
    """

    name: ClassVar[str] = "curvature"
    gradients: ClassVar[int] = 1
    products: ClassVar[tuple[int, int]] = (1, PROBES)
    maps: ClassVar[Sequence[Map]] = (
        Map("map_curvature", "nat", "second derivative of the loss with respect to the coordinate", "direction"),
        Map("map_mixed_curvature", "nat", "second derivative of the loss, once for each coordinate", axes=2),
        Map("map_trace", "nat", "trace of the Hessian of the loss, by Hutchinson's estimator"),
        Map("map_trace_stderr", "nat", "its standard error"),
    )

    def values(self, point: SurfacePoint) -> Mapping[str, Any]:
        import torch

        from landscape.objective.finite import NotFinite
        from landscape.spectrum.trace import estimate

        rows, draws = point.function.plane.rows, stream(point.function.seed, "map", "trace")
        axes = len(rows)
        probes = torch.stack([point.objective.signs(draws) for _ in range(PROBES)])
        try:
            images = point.objective.hvp(torch.cat([rows, probes]), point.displacement)  # (axes + probes, d)
        except NotFinite:
            return {each.name: [math.nan] * axes if each.along else math.nan for each in self.maps}
        within, trace = rows @ images[:axes].T, estimate((probes * images[axes:]).sum(1).tolist())
        return {
            "map_curvature": within.diagonal(),
            "map_mixed_curvature": (within[0, -1] + within[-1, 0]) / 2,
            "map_trace": trace.value,
            "map_trace_stderr": trace.stderr,
        }
