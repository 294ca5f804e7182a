"""The covariance of the examples' gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.spectrum.operator import Operator

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torch import Tensor

    from landscape.objective.objective import Objective
    from landscape.spectrum.operator import Product


@dataclass(frozen=True)
class GradientCovariance(Operator):
    """1/N sum_i (g_i - g) (g_i - g)^T = F - g g^T: F the empirical Fisher matrix, g the gradient of the mean loss.

    >>> import torch
    >>> from landscape.objective.objective import Objective
    >>> model = torch.nn.Linear(1, 2, bias=False)
    >>> _ = torch.nn.init.zeros_(model.weight)
    >>> objective = Objective(model, torch.tensor([[-1.0], [3.0]]), torch.tensor([0, 1]))
    >>> GradientCovariance().product(objective)(torch.tensor([1.0, 0.0]))  # gradients (1, -1) / 2 and 3 (1, -1) / 2
    tensor([ 0.2500, -0.2500], dtype=torch.float64)
    """

    name: ClassVar[str] = "gradient-covariance"
    title: ClassVar[str] = "gradient covariance"
    beside: ClassVar[int] = 7

    def product(self, objective: Objective, seed: int = 0) -> Product:
        """The product v -> F v - g (g . v) with the covariance of the gradients."""
        gradient = objective.gradient()
        return self._about(gradient, objective, gradient, seed)

    def parts(self, objective: Objective, blocks: Iterable[Tensor], seed: int = 0) -> Iterator[Product]:
        """The covariance of the gradients of each block, about the gradient of the whole."""
        gradient = objective.gradient()
        parts = (objective.of(rows) for rows in blocks)
        return (self._about(gradient, part, part.gradient(), seed) for part in parts)

    def _about(self, centre: Tensor, objective: Objective, gradient: Tensor, seed: int) -> Product:
        """v -> 1/N sum_i (g_i - c) (g_i - c)^T v, g being the mean of the g_i: F v - g (c . v) - c ((g - c) . v)."""
        from landscape.spectrum.operators.empirical_fisher import EmpiricalFisher

        fisher = EmpiricalFisher().product(objective, seed)

        def apply(vectors: Tensor) -> Tensor:
            rows = vectors.double()
            along, beside = ((rows * each).sum(-1, keepdim=True) for each in (centre, gradient - centre))
            return fisher(rows) - along * gradient - beside * centre

        return apply
