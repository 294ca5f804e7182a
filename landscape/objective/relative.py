"""The loss in coordinates relative to the weights: unchanged when units of a ReLU network are rescaled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from landscape.objective.objective import Objective


class Relative:
    """L(w + |w| u) as a function of u, over the weights that are not zero (Kwon et al. 2021, ASAM).

    Gradient D g and Hessian D H D with D = diag(|w|). Removed weights have |w| = 0, so they are no coordinates in
    either subspace. Multiplying a unit's incoming weights by a > 0 and its outgoing ones by 1/a leaves L(u) as it is.
    """

    def __init__(self, objective: Objective) -> None:
        point = objective.point
        self.objective = objective
        self.index = point.nonzero().squeeze(1)
        self.scale = point[self.index].abs()

    @property
    def dimension(self) -> int:
        """The number of weights that are not zero."""
        return len(self.index)

    def loss(self, displacement: Tensor | None = None) -> float:
        """The loss at relative displacements u of the weights, L(w + |w| u)."""
        return self.objective.loss(self._absolute(displacement))

    def example_losses(self, displacement: Tensor | None = None) -> Tensor:
        """(N,) each example's loss at w + |w| u."""
        return self.objective.example_losses(self._absolute(displacement))

    def loss_and_gradient(self, displacement: Tensor | None = None) -> tuple[float, Tensor]:
        """L(w + |w| u) and its gradient with respect to u."""
        loss, gradient = self.objective.loss_and_gradient(self._absolute(displacement))
        return loss, self.of_gradient(gradient)

    def of_gradient(self, gradient: Tensor) -> Tensor:
        """The gradient with respect to u, of that with respect to w, (d,)."""
        return self.scale * gradient[self.index]

    def hvp(self, vectors: Tensor, displacement: Tensor | None = None) -> Tensor:
        """D H D v, of one vector or of several."""
        products = self.objective.hvp(self.absolute(vectors), self._absolute(displacement))
        return self.scale * products[..., self.index]

    def normal(self, generator: torch.Generator) -> Tensor:
        """Standard normal coordinates, the same for a weight in both subspaces."""
        return self.objective.normal(generator)[self.index]

    def signs(self, generator: torch.Generator) -> Tensor:
        """Coordinates -1 or 1, the same for a weight in both subspaces."""
        return self.objective.signs(generator)[self.index]

    def absolute(self, vectors: Tensor) -> Tensor:
        """|w| u in the objective's coordinates, (..., nonzero) -> (..., d)."""
        full = vectors.new_zeros(*vectors.shape[:-1], self.objective.dimension)
        full[..., self.index] = self.scale * vectors
        return full

    def _absolute(self, displacement: Tensor | None) -> Tensor | None:
        return None if displacement is None else self.absolute(displacement)
