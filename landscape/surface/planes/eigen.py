"""Eigenvectors of the Hessian of the mean loss: the directions of the largest curvatures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from landscape.objective.streams import stream
from landscape.surface.spanning import Centre, Spanning
from minima.store.checkpoints.safetensors_file import content_hash
from minima.store.command import BadInput
from minima.store.hdf5.opening import opened

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.surface.plane import Plane

WHOLE = 0.999
"""least length of a unit eigenvector in the coordinates that may move: what it loses was in others"""


@dataclass(frozen=True)
class Eigen(Spanning):
    """Unit vectors, so that coordinates are distances and L = L(w) + g a + l a^2 / 2 nearby along each.

    They keep their length 1: scaled filter by filter they would be eigenvectors no more. They point uphill, g >= 0.
    """

    name: ClassVar[str] = "eigen"

    eigenvectors: Path | None = None

    def plane(self, centre: Centre) -> Plane:
        from landscape.objective.directions import described
        from landscape.surface.eigen_plane import EigenPlane

        objective, gradient = centre.objective, centre.slope[0]
        vectors, products = _computed(centre) if self.eigenvectors is None else _stored(self.eigenvectors, centre)
        uphill = [vector if vector @ gradient >= 0 else -vector for vector in vectors]
        directions = [described(vector, objective.coordinates) for vector in uphill]
        return EigenPlane.along(directions, objective, products)


def _computed(centre: Centre) -> tuple[Tensor, int]:
    """(k, d) by Lanczos, and how many products it took."""
    from landscape.spectrum.lanczos import LEAST_ROOM, top_eigenpairs

    objective, draws = centre.objective, stream(centre.seed, "lanczos")
    size, known = objective.dimension, centre.slope
    if size < centre.axes:
        raise BadInput(f"--directions eigen: {size} weight may move, expected {centre.axes}: type --grid Nx1")
    objective.keeper.reserve(centre.axes + LEAST_ROOM, objective.dimension)
    room = objective.keeper.vector_bytes
    pairs = top_eigenpairs(objective.hvp, lambda: objective.normal(draws), size, centre.axes, known=known, memory=room)
    return pairs.vectors, pairs.products


def _stored(path: Path, centre: Centre) -> tuple[Tensor, int]:
    """(k, d) of a file of this very checkpoint: no products."""
    from landscape.spectrum import eigenvectors

    if not path.is_file():
        raise BadInput(f"--eigenvectors {path}: there is no such file. Make it with landscape.hessian")
    vectors = eigenvectors.read(path, centre.objective.coordinates)
    with opened(path) as file:
        made_of = list(file.attrs["sha256"])
    if made_of != [content_hash(centre.subject.path)]:
        raise BadInput(f"--eigenvectors {path} is of another checkpoint than {centre.subject.name}: its hash differs")
    if len(vectors) < centre.axes:
        raise BadInput(f"--eigenvectors {path} holds {len(vectors)}, expected {centre.axes}: add --top {centre.axes}")
    norms = vectors[: centre.axes].norm(dim=1)
    if norms.min() < WHOLE:
        raise BadInput(
            f"--eigenvectors {path} moves weights that may not move here: it was made with another --subspace"
        )
    return vectors[: centre.axes] / norms[:, None], 0
