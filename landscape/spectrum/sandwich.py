"""J^T M J: a symmetric matrix on the outputs of a network, pulled back to its weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from landscape.objective.graphs import Chunk
from landscape.passes.attention import plain_attention
from minima.store.command import BadInput
from minima.zoo.examples.evaluation import evaluating

if TYPE_CHECKING:
    from landscape.objective.objective import Objective

Middle = Callable[[Tensor, slice], Callable[[Tensor], Tensor]]
"""outputs (n, ...) of some examples, and which they are -> their M, as a function of tangents (n, ...)"""


def sandwich(objective: Objective, vectors: Tensor, middle: Middle) -> Tensor:
    """1/N sum_i J_i^T M_i J_i v for each of `vectors` (d,) or (k, d), J_i the Jacobian of example i's outputs.

    J v is taken forward mode, J^T backward: 1.5 passes forward and backward while the graphs of the outputs can be
    kept, 1.9 otherwise (double backward, which takes J v from the graph of J^T: 1.5 to 2.1, and 2.5 to 4.1).
    """

    def apply(chunk: Chunk, direction: list[Tensor]) -> Sequence[Tensor]:
        outputs = chunk.outputs
        if not outputs.requires_grad:  # no weight has a say
            return [torch.zeros_like(parameter) for parameter in chunk.parameters]
        tangents = objective.tangents(chunk.examples, direction)
        cotangents = middle(outputs.detach(), chunk.examples)(tangents)
        return torch.autograd.grad(
            outputs, chunk.parameters, cotangents.to(outputs.dtype), retain_graph=True, materialize_grads=True
        )

    with evaluating(objective.model), plain_attention(), torch.enable_grad():
        return objective.products(vectors, objective.graphs(whole), apply)


def whole(chunk: Chunk) -> Chunk:
    """The graph of the outputs, which must be one tensor with a row for each example."""
    count = len(chunk.losses)
    if not (torch.is_tensor(chunk.outputs) and chunk.outputs.shape[:1] == (count,)):
        found = tuple(chunk.outputs.shape) if torch.is_tensor(chunk.outputs) else type(chunk.outputs).__name__
        raise BadInput(
            f"the network's output for {count} examples is {found}: a Gauss-Newton or Fisher matrix needs one tensor "
            f"with a row for each, ({count}, ...). The Hessian does not"
        )
    return chunk


def loss_slopes(objective: Objective, outputs: Tensor, y: Tensor) -> Tensor:
    """The gradient of each example's loss with respect to its outputs (n, ...)."""
    leaf = outputs.detach().requires_grad_()
    (slopes,) = torch.autograd.grad(objective.losses(leaf, y).sum(), leaf, materialize_grads=True)
    return slopes


def outer(slopes: Tensor, tangents: Tensor) -> Tensor:
    """r_i (r_i . t_i) for each example i: (n, ...), (n, ...) -> (n, ...).

    >>> outer(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 1.0]]))
    tensor([[ 5., 10.]])
    """
    along = (slopes * tangents).reshape(len(slopes), -1).sum(1)
    return slopes * along.view(-1, *[1] * (slopes.ndim - 1))
