"""The empirical Fisher matrix: gradients of the examples at their own labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.spectrum.operator import Operator, require_even

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.objective.objective import Objective
    from landscape.spectrum.operator import Product


@dataclass(frozen=True)
class EmpiricalFisher(Operator):
    """F = 1/N sum_i g_i g_i^T, g_i the gradient of example i's loss at its label.

    It is not the Fisher matrix, whose labels the network draws (Kunstner, Hennig and Balles 2019): see mc-fisher, ggn.

    >>> import torch
    >>> from landscape.objective.objective import Objective
    >>> model = torch.nn.Linear(1, 2, bias=False)
    >>> _ = torch.nn.init.zeros_(model.weight)
    >>> objective = Objective(model, torch.tensor([[-1.0], [3.0]]), torch.tensor([0, 1]))
    >>> EmpiricalFisher().product(objective)(torch.tensor([1.0, 0.0]))  # gradients (1, -1) / 2 and 3 (1, -1) / 2
    tensor([ 1.2500, -1.2500], dtype=torch.float64)
    """

    name: ClassVar[str] = "empirical-fisher"
    title: ClassVar[str] = "empirical Fisher"

    def product(self, objective: Objective, seed: int = 0) -> Product:  # noqa: ARG002 (nothing is drawn)
        """The product v -> F v with the empirical Fisher matrix."""
        from landscape.spectrum.sandwich import loss_slopes, outer, sandwich

        require_even(objective, self.title)

        def middle(outputs: Tensor, examples: slice) -> Product:
            slopes = loss_slopes(objective, outputs, objective.y[examples])
            return lambda tangents: outer(slopes, tangents)

        return lambda vectors: sandwich(objective, vectors, middle)
