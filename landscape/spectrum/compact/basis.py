"""A Krylov basis in float32 that never makes a copy of itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from landscape.spectrum.krylov import Floats, Indices, Krylov, Ritz

BLOCK = 2**17
"""coordinates of all vectors that are converted at once"""


class Compact(Krylov):
    """A basis of Lanczos vectors as `Krylov` keeps it, but rounded to float32, 4d bytes each: `room` of them, and no
    more.

    What is rounded is the vector that H is applied to, so that H Q = Q h holds to 6e-8 of the norm of H. Inner products
    and remainders are in float64, block by block of the coordinates; what a vector (d,) in float64 is to become is made
    in its place.
    """

    def add(self, direction: Tensor) -> bool:
        """Add what a direction (d,) has outside of the basis; False if that is nothing."""
        return super().add(direction.to(torch.float64, copy=True))

    def restart(self, ritz: Ritz, kept: Indices) -> None:
        """Make room: shrink to these Ritz vectors and what is pending."""
        count, pending = len(kept), len(self.pending)
        among = np.zeros((count + pending, self.size))
        among[:count, self.applied] = ritz.rotation[:, kept].T
        among[np.arange(count, count + pending), self.pending] = 1
        turning = torch.from_numpy(among).to(self.basis.device)
        for block in self._blocks():
            self.basis[: count + pending, block] = (turning @ self.basis[: self.size, block].double()).float()
        inside = np.diag(ritz.values[kept])
        self.columns = list(np.concatenate([inside, ritz.outside[:, kept]]).T)
        self.applied, self.pending = list(range(count)), list(range(count, count + pending))
        self.size = count + pending

    def vectors(self, coefficients: Floats) -> Tensor:
        """(m, k) coefficients in the applied basis -> k vectors (k, d) in float32."""
        made = self.basis.new_empty(coefficients.shape[1], self.dimension)
        turning = torch.from_numpy(coefficients.T.copy()).to(self.basis.device)
        for block in self._blocks():
            made[:, block] = (turning @ self.basis[self.applied, block].double()).float()
        return made

    def combined(self, rows: Sequence[int], coefficients: Floats) -> Tensor:
        """(d,) in float64: a combination of some of the rows."""
        made = torch.empty(self.dimension, dtype=torch.float64, device=self.basis.device)
        turning = torch.from_numpy(coefficients.copy()).to(self.basis.device)
        for block in self._blocks():
            made[block] = turning @ self.basis[list(rows), block].double()
        return made

    def write(self, row: int, vector: Tensor, norm: Tensor) -> None:
        """A row becomes `vector` by its norm."""
        for block in self._blocks():
            self.basis[row, block] = (vector[block] / norm).float()

    def project_out(self, vector: Tensor, rows: Sequence[int]) -> Tensor:
        """Take from a vector (d,) in float64, in place, its parts along some rows, twice; what they were (rows,)."""
        inside = torch.zeros(len(rows), dtype=torch.float64, device=vector.device)
        chosen = slice(0, len(rows)) if list(rows) == list(range(len(rows))) else list(rows)
        for _ in range(2):
            parts = torch.zeros_like(inside)
            for block in self._blocks():
                parts += self.basis[chosen, block].double() @ vector[block]
            for block in self._blocks():
                vector[block] -= parts @ self.basis[chosen, block].double()
            inside += parts
        return inside

    def quotient(self, row: int, image: Tensor) -> float:
        """q . image of a row q."""
        return sum(float(self.basis[row, block].double() @ image[block]) for block in self._blocks())

    def residual(self, row: int, image: Tensor, value: float) -> float:
        """|image - value q| / |q| of a row q; `image` (d,) is made the difference."""
        square = 0.0
        for block in self._blocks():
            own = self.basis[row, block].double()
            square += float(own @ own)
            image[block] -= value * own
        return float(image.norm()) / square**0.5

    def _orthogonalise(self, vector: Tensor) -> tuple[Tensor, Tensor]:
        """What a vector has outside of the basis, in its place, and its coefficients inside."""
        inside = self.project_out(vector, range(self.size))
        return vector, inside

    def _turn(self, one: int, other: int, rotation: Floats) -> None:
        both, turning = [one, other], torch.from_numpy(rotation).to(self.basis.device)
        for block in self._blocks():
            self.basis[both, block] = (turning @ self.basis[both, block].double()).float()
        self._turn_columns(both, rotation)

    def _storage(self) -> Tensor:
        return torch.empty(self.room, self.dimension, dtype=torch.float32, device=self.draw().device)

    def _append(self, vector: Tensor, norm: Tensor) -> None:
        self.write(self.size, vector, norm)
        self.pending.append(self.size)
        self.size += 1

    def _blocks(self) -> Iterator[slice]:
        return (slice(first, min(first + BLOCK, self.dimension)) for first in range(0, self.dimension, BLOCK))
