"""What a measure needs of a loss: a scalar function of a vector of displacements, with two derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Differentiable(Protocol):
    """L as a function of a displacement (d,) in float64, zero (None) being the point w that is measured.

    Whatever the coordinates are: those of the weights (`Objective`), or relative ones (`Relative`).
    """

    @property
    def dimension(self) -> int:
        """The number d of coordinates."""

    def loss(self, displacement: Tensor | None = None) -> float:
        """The objective L at w + displacement, in the unit of the loss (nats for cross-entropy); inf on overflow."""

    def example_losses(self, displacement: Tensor | None = None) -> Tensor:
        """(N,) what each example has of L at w + displacement, in the unit of the loss; L is the mean of it."""

    def loss_and_gradient(self, displacement: Tensor | None = None) -> tuple[float, Tensor]:
        """The objective L at w + displacement, and its gradient (d,) there, in float64."""

    def hvp(self, vectors: Tensor, displacement: Tensor | None = None) -> Tensor:
        """Products of the Hessian of L at w + displacement with one vector (d,) or several (k, d), in that shape."""

    def normal(self, generator: torch.Generator) -> Tensor:
        """(d,) independent standard normal numbers, drawn from the generator."""

    def signs(self, generator: torch.Generator) -> Tensor:
        """(d,) independent coordinates, -1 or 1 with the same chance, drawn from the generator."""
