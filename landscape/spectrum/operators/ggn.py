"""The generalised Gauss-Newton matrix (Schraudolph 2002)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.spectrum.operator import Operator

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.objective.objective import Objective
    from landscape.spectrum.operator import Product


@dataclass(frozen=True)
class GaussNewton(Operator):
    """G = 1/N sum_i J_i^T H_i J_i: J_i the Jacobian of example i's outputs, H_i the Hessian of its loss in them.

    The Hessian without the curvature of the network itself; equal to it where the outputs are linear in the weights.
    Positive semidefinite if the loss is convex in the outputs. With softmax cross-entropy it is the exact Fisher.

    >>> import torch
    >>> from landscape.objective.objective import Objective
    >>> model = torch.nn.Linear(1, 2, bias=False)
    >>> _ = torch.nn.init.zeros_(model.weight)
    >>> objective = Objective(model, torch.tensor([[-1.0], [1.0]]), torch.tensor([0, 1]))
    >>> GaussNewton().product(objective)(torch.tensor([1.0, 0.0]))
    tensor([ 0.2500, -0.2500], dtype=torch.float64)
    """

    name: ClassVar[str] = "ggn"
    title: ClassVar[str] = "Gauss-Newton"
    semidefinite: ClassVar[bool] = False

    def product(self, objective: Objective, seed: int = 0) -> Product:  # noqa: ARG002 (nothing is drawn)
        """The product v -> G v with the generalised Gauss-Newton matrix."""
        from landscape.spectrum.sandwich import sandwich

        return lambda vectors: sandwich(objective, vectors, lambda outputs, at: _hessian(objective, outputs, at))


def _hessian(objective: Objective, outputs: Tensor, examples: slice) -> Callable[[Tensor], Tensor]:
    """H_i of these examples, as a function of tangents."""
    import torch

    leaf = outputs.requires_grad_()
    summed = objective.losses(leaf, objective.y[examples]).sum()
    (slopes,) = torch.autograd.grad(summed, leaf, create_graph=True, materialize_grads=True)
    if not slopes.requires_grad:  # a loss linear in the outputs
        return torch.zeros_like
    return lambda tangents: torch.autograd.grad(slopes, leaf, tangents, materialize_grads=True)[0]
