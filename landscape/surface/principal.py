"""The plane that lies closest to a training's moments (Li et al. 2018, section 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from landscape.surface.plane import Plane
from minima.store.command import BadInput

if TYPE_CHECKING:
    from torch import Tensor

    from minima.store.hdf5.results import Place

LEAST = 1e-12
"""of the largest sum of squares along an axis: a smaller one is rounding"""


@dataclass(frozen=True)
class Principal(Plane):
    """A plane whose directions are principal axes of the displacements of a training's moments."""

    explained: Sequence[float] = ()
    """share of each axis in the sum of the squared displacements"""

    def write(self, place: Place) -> None:
        super().write(place)
        meaning = "share of the squared distances of the moments from the network that lies along a direction"
        place.write("surface/explained_variance", self.explained, ("direction",), "1", meaning)

    def summary(self) -> dict[str, Any]:
        return super().summary() | {"explained_variance": self.explained}


def principal_axes(rows: Tensor, count: int) -> tuple[Tensor, list[float]]:
    """The first right singular vectors (count, d) of displacements (n, d), and each one's share of the sum of squares.

    By the eigenvectors of the Gram matrix (n, n). Nothing is centred: the plane goes through the network that the
    displacements start from, and among such planes it leaves the least out. An axis points to the first moment.

    >>> axes, shares = principal_axes(torch.tensor([[3.0, 0.0, 0.0], [0.0, 0.0, -1.0]], dtype=torch.float64), 2)
    >>> axes.round().abs().tolist(), [round(share, 6) for share in shares]
    ([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], [0.9, 0.1])
    """
    values, vectors = torch.linalg.eigh(rows @ rows.T)
    values, vectors = values.flip(0), vectors.flip(1)
    found = int((values > LEAST * values[0]).sum()) if values[0] > 0 else 0
    if found < count:
        raise BadInput(
            f"the trajectory spans {found} directions around the network, expected {count}: it needs {count} moments "
            "that differ from it.\nKeep more with minima.train --keep, or draw a line with --grid Nx1"
        )
    axes = torch.linalg.qr((vectors[:, :count].T @ rows).T).Q.T  # orthonormal to rounding, the small ones too
    signs = torch.where(axes @ rows[0] < 0, -1.0, 1.0)
    return signs[:, None] * axes, (values[:count] / values.sum()).tolist()
