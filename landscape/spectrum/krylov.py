"""An orthonormal basis grown by a symmetric operator, and the Rayleigh-Ritz approximation in it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

BREAKDOWN = 1e-12  # a residual this small beside the operator is rounding, not a new direction
NOTHING = 1e-8  # a remainder this small beside a direction is none


@dataclass(frozen=True)
class Ritz:
    """Approximate eigenpairs, in ascending order of the values (m,)."""

    values: Floats
    residuals: Floats
    """(m,) ||H v - value v||, absolute"""
    rotation: Floats
    """(m, m) columns: coefficients of the vectors in the applied basis"""
    outside: Floats
    """(p, m) columns: what is new in H v, along the pending directions in turn"""


class Krylov:
    """Lanczos with full reorthogonalisation, written as directions that the operator is yet to be applied to.

    Applying H to a basis vector q gives H q = Q h + beta q', q' being a new basis vector, which is pending then. All of
    h is kept, so that H Q = Q h holds to rounding, whatever noise the products carry, and a residual costs no product.
    A direction can join at any time: a random one when none is pending (an invariant subspace) or to look for
    eigenvectors that the others had no part of (copies of a multiple eigenvalue), or what is known of the eigenvectors.
    What is pending spans all that is known outside of the applied vectors, and may be turned within that span.
    """

    def __init__(
        self,
        product: Callable[[Tensor], Tensor],
        draw: Callable[[], Tensor],
        dimension: int,
        room: int | None = None,
    ) -> None:
        self.product, self.draw, self.dimension = product, draw, dimension
        self.room = min(dimension, room or dimension)
        """vectors that may be in memory; `restart` makes room"""
        self.basis = self._storage()
        self.size = 0
        self.pending: list[int] = []
        self.applied: list[int] = []
        self.columns: list[Floats] = []
        """h of each applied vector, at least as long as the basis was then"""
        self.products = 0
        self.scale = 0.0

    def start(self) -> int | None:
        """Make a random direction, orthogonal to the applied vectors, the last pending one, and tell which it is.

        None when the basis spans the whole space.
        """
        while self.size < self.dimension:
            direction = self.draw().double()
            drawn = direction.norm().item()
            remainder, inside = self._orthogonalise(direction)
            norm = remainder.norm()
            if norm.item() > NOTHING * drawn:
                self._append(remainder, norm)
                self._gather(inside, norm.item())
                return self.pending[-1]
        return None

    def add(self, direction: Tensor) -> bool:
        """Add what a direction (d,) has outside of the basis; False if that is nothing."""
        norm = direction.norm()
        remainder, _ = self._orthogonalise(direction.double())
        if not remainder.norm() > NOTHING * norm:
            return False
        self._append(remainder, remainder.norm())
        return True

    @property
    def left(self) -> float:
        """How many vectors there is room for; inf where there is room for all that exist."""
        return self.room - self.size if self.room < self.dimension else math.inf

    def apply(self, index: int, image: Tensor | None = None) -> tuple[Tensor, float]:
        """Apply H to a pending vector q; what is new in the product is pending then.

        Returns the parts of H q along the basis as it was, and the norm of what is new. `image`: H q, if it is known.
        """
        self.pending.remove(index)
        if image is None:
            image = self.image(index)
        self.scale = max(self.scale, image.norm().item())
        remainder, inside = self._orthogonalise(image)
        norm = remainder.norm()
        beta = norm.item()
        column = inside.tolist()
        if new := beta > BREAKDOWN * self.scale and self.size < self.dimension:
            self._append(remainder, norm)
            column.append(beta)
        self.applied.append(index)
        self.columns.append(np.array(column))
        return inside, beta if new else 0.0

    def image(self, index: int) -> Tensor:
        """H times a vector of the basis, in float64."""
        self.products += 1
        return self.product(self.basis[index]).double()

    def follow(self, index: int) -> tuple[float, float]:
        """Apply H to a vector, as a step of Lanczos in all that is orthogonal to the vectors applied before its first.

        What H q has outside of the applied vectors becomes the last pending vector. Returns q.Hq and the norm of that
        part; 0 where there is none.
        """
        inside, new = self.apply(index)
        norm = math.hypot(new, *inside[self.pending[: -1 if new else None]].tolist())
        if not norm > BREAKDOWN * self.scale:
            return inside[index].item(), 0.0
        self._gather(inside, new or inside[self.pending[-1]].item())
        return inside[index].item(), norm

    def _gather(self, parts: Tensor, norm: float) -> None:
        """Turn the pending vectors, so that the last points where `parts` along the others and `norm` along it lie."""
        *others, last = self.pending
        for index in others:
            part, before = parts[index].item(), norm
            norm = math.hypot(part, before)
            if part:
                self._turn(last, index, np.array([[before, part], [-part, before]]) / norm)

    def _turn(self, one: int, other: int, rotation: Floats) -> None:
        """Turn two vectors of the basis within their plane; what is known by its parts along them stays what it is."""
        both = [one, other]
        self.basis[both] = torch.from_numpy(rotation).to(self.basis) @ self.basis[both]
        self._turn_columns(both, rotation)

    def _turn_columns(self, both: list[int], rotation: Floats) -> None:
        for place, column in enumerate(self.columns):
            full = np.append(column, np.zeros(max(0, max(both) + 1 - len(column))))
            full[both] = rotation @ full[both]
            self.columns[place] = full

    def ritz(self) -> Ritz:
        """Eigenpairs of H projected on the applied vectors, with the exact norms of their residuals."""
        images = np.zeros((self.size, len(self.applied)))  # (basis, applied): Q^T H Q_applied
        for position, column in enumerate(self.columns):
            images[: len(column), position] = column
        projected = images[self.applied]
        values, rotation = np.linalg.eigh((projected + projected.T) / 2)
        residuals = images @ rotation
        residuals[self.applied] -= rotation * values
        return Ritz(values, np.linalg.norm(residuals, axis=0), rotation, residuals[self.pending])

    def restart(self, ritz: Ritz, kept: Indices) -> None:
        """Make room: shrink to these Ritz vectors and what is pending (thick restart, Wu and Simon 2000)."""
        count, pending = len(kept), len(self.pending)
        vectors = self.vectors(ritz.rotation[:, kept])
        self.basis[count : count + pending] = self.basis[self.pending]
        self.basis[:count] = vectors
        inside = np.diag(ritz.values[kept])  # H Y = Y diag(values) + pending x outside
        self.columns = list(np.concatenate([inside, ritz.outside[:, kept]]).T)
        self.applied, self.pending = list(range(count)), list(range(count, count + pending))
        self.size = count + pending

    def vectors(self, coefficients: Floats) -> Tensor:
        """(m, k) coefficients in the applied basis -> k vectors (k, d)."""
        among = np.zeros((coefficients.shape[1], self.size))
        among[:, self.applied] = coefficients.T
        return torch.from_numpy(among).to(self.basis) @ self.basis[: self.size]

    def _orthogonalise(self, vector: Tensor) -> tuple[Tensor, Tensor]:
        """The part of a vector outside the basis, and its coefficients inside; twice is enough (Parlett 1998)."""
        basis = self.basis[: self.size]
        inside = basis @ vector
        remainder = vector - basis.T @ inside
        correction = basis @ remainder
        return remainder - basis.T @ correction, inside + correction

    def _storage(self) -> Tensor:
        """(rows, d) where the vectors will be."""
        return self.draw().new_zeros(min(self.room, 32), self.dimension)

    def _append(self, vector: Tensor, norm: Tensor) -> None:
        """One more vector, which is pending: `vector` by its norm."""
        if self.size == len(self.basis):
            rows = min(self.dimension, max(self.size + 1, min(self.room, 2 * self.size)))
            grown = self.basis.new_zeros(rows, self.dimension)
            grown[: self.size] = self.basis
            self.basis = grown
        self.basis[self.size] = vector / norm
        self.pending.append(self.size)
        self.size += 1
