"""A plane along eigenvectors, with their eigenvalues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from landscape.surface.plane import Plane

if TYPE_CHECKING:
    from landscape.objective.directions import Direction
    from landscape.objective.objective import Objective
    from minima.store.hdf5.results import Place


@dataclass(frozen=True)
class EigenPlane(Plane):
    """A plane whose directions are unit eigenvectors of the Hessian."""

    eigenvalues: Sequence[float] = ()
    """v.Hv over the data of the surface"""
    residuals: Sequence[float] = ()
    """||Hv - l v|| / |l|: how far a stored vector is from an eigenvector of this very Hessian"""
    products: int = 0
    """of the Hessian with vectors, for all this"""

    @classmethod
    def along(cls, directions: Sequence[Direction], objective: Objective, products: int) -> EigenPlane:
        """The plane of unit vectors, found with some products; it takes one more for each one's curvature."""
        rows = torch.stack([direction.vector for direction in directions])
        images = objective.hvp(rows)
        values = (rows * images).sum(1)
        residuals = (images - values[:, None] * rows).norm(dim=1) / values.abs().clamp_min(1e-300)
        return cls(directions, (), values.tolist(), residuals.tolist(), products + len(rows))

    def write(self, place: Place) -> None:
        super().write(place)
        place.write("surface/eigenvalue", self.eigenvalues, ("direction",), "nat", "curvature along a direction")
        place.write("surface/eigenvalue_residual", self.residuals, ("direction",), "1", "||Hv - lv|| / |l|")

    def summary(self) -> dict[str, Any]:
        own = {"eigenvalues": self.eigenvalues, "eigenvalue_residuals": self.residuals, "products": self.products}
        return super().summary() | own
