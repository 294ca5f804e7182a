"""What a measure needs of a loss: a scalar function of a vector of displacements, with two derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Differentiable(Protocol):
    """L as a function of a displacement (d,) in float64, zero being the point that is measured."""

    @property
    def dimension(self) -> int:
        """The number d of coordinates."""

    def loss(self, displacement: Tensor | None = None) -> float:
        """The objective L at w + displacement, in the unit of the loss (nats for cross-entropy)."""

    def example_losses(self, displacement: Tensor | None = None) -> Tensor:
        """(N,) what each example has of L, in the unit of the loss; L is the mean of it."""

    def loss_and_gradient(self, displacement: Tensor | None = None) -> tuple[float, Tensor]:
        """The objective L and its gradient (d,) at w + displacement."""

    def hvp(self, vectors: Tensor, displacement: Tensor | None = None) -> Tensor:
        """Hessian-vector products, of one vector (d,) or of several (k, d)."""

    def normal(self, generator: torch.Generator) -> Tensor:
        """Independent standard normal numbers, one for each coordinate (d,)."""

    def signs(self, generator: torch.Generator) -> Tensor:
        """Independent coordinates -1 or 1 (d,)."""
