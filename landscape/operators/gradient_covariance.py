"""The covariance of the examples' gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.operator import Operator

if TYPE_CHECKING:
    from landscape.objective import Objective
    from landscape.operator import Product


@dataclass(frozen=True)
class GradientCovariance(Operator):
    """1/N sum_i (g_i - g) (g_i - g)^T = F - g g^T: F the empirical Fisher matrix, g the gradient of the mean loss.

    >>> import torch
    >>> from landscape.objective import Objective
    >>> model = torch.nn.Linear(1, 2, bias=False)
    >>> _ = torch.nn.init.zeros_(model.weight)
    >>> objective = Objective(model, torch.tensor([[-1.0], [3.0]]), torch.tensor([0, 1]))
    >>> GradientCovariance().product(objective)(torch.tensor([1.0, 0.0]))  # gradients (1, -1) / 2 and 3 (1, -1) / 2
    tensor([ 0.2500, -0.2500], dtype=torch.float64)
    """

    name: ClassVar[str] = "gradient-covariance"
    title: ClassVar[str] = "gradient covariance"

    def product(self, objective: Objective, seed: int = 0) -> Product:
        """v -> F v - g (g . v)."""
        from landscape.operators.empirical_fisher import EmpiricalFisher

        fisher, gradient = EmpiricalFisher().product(objective, seed), objective.gradient()
        return lambda vectors: fisher(vectors) - (vectors.double() * gradient).sum(-1, keepdim=True) * gradient
