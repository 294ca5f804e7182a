"""The exact diagonal of the generalised Gauss-Newton matrix (LeCun et al. 1990; Schraudolph 2002)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.func import vjp, vmap
from torch.utils._pytree import tree_map

from landscape.objective.objective import Objective
from landscape.passes.attention import plain_attention
from minima.store.command import BadInput
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.functional import functional_call
from minima.zoo.examples.inputs import Inputs, Several, arguments, as_inputs

OUTPUTS = 256
"""numbers a network may put out for an example: each costs a backward pass of that example"""
MEMORY = 2**28
"""bytes that the derivatives of the examples of a chunk may take"""


class NotExact(BadInput):
    """The outputs of a network do not allow the exact diagonal."""


def gauss_newton_diagonal(objective: Objective) -> Tensor:
    """G_ii of G = 1/W sum_n J_n^T H_n J_n for every coordinate, (d,), without an estimate; W = sum_n w_n, N mostly.

    J_n is the Jacobian of example n's outputs, H_n = sum_r l_r u_r u_r^T the Hessian of its s_n in these outputs, and
    G_ii = 1/W sum_n sum_r l_r (J_n^T u_r)_i^2: a backward pass for each example and eigenvector u_r, many at once. H_n
    may be indefinite. For a network whose outputs are linear in each single weight G_ii is the Hessian's H_ii: ReLU
    and max pooling between layers that are applied once, with batch norm in eval mode.

    Raises:
        NotExact: the outputs are not one tensor of at most `OUTPUTS` numbers for each example.

    >>> from torch import nn
    >>> model = nn.Linear(1, 2, bias=False)
    >>> _ = nn.init.zeros_(model.weight)
    >>> gauss_newton_diagonal(Objective(model, torch.tensor([[-1.0], [1.0]]), torch.tensor([0, 1])))
    tensor([0.2500, 0.2500], dtype=torch.float64)
    """
    size = _outputs(objective)
    weights = objective.weights(None)
    each = sum(weight.numel() * weight.element_size() for weight in weights.values())
    chunk = max(1, MEMORY // (3 * size * each))
    total = {name: torch.zeros_like(weight, dtype=torch.float64) for name, weight in weights.items()}
    constants = {name: tensor for name, tensor in _tensors(objective).items() if name not in weights}
    with evaluating(objective.model), plain_attention():
        for examples in objective.ranks.chunks(len(objective.x), chunk):
            values, vectors = _loss_hessians(objective, examples)
            for name, square in _squares(objective, weights, constants, objective.x[examples], values, vectors):
                total[name] += square
    flat = torch.cat([tensor.flatten() for tensor in total.values()])
    return objective.coordinates.restrict(objective.weighing.mean(objective.ranks.sum(flat)))


def _outputs(objective: Objective) -> int:
    """How many numbers the network puts out for an example."""
    with evaluating(objective.model), torch.no_grad():
        outputs = _picked(objective, _tensors(objective), objective.x[:1])
    if not torch.is_tensor(outputs):
        raise NotExact(f"the exact diagonal needs a network with one tensor of outputs, found {type(outputs).__name__}")
    if outputs.numel() > OUTPUTS:
        raise NotExact(
            f"the exact diagonal takes a backward pass for each of an example's outputs: found {outputs.numel()} of "
            f"them, expected {OUTPUTS} at most"
        )
    return outputs.numel()


def _picked(objective: Objective, tensors: Mapping[str, Tensor], x: Inputs) -> Any:
    """The outputs that are judged, for inputs x, with these parameters and buffers."""
    return objective.task.picked(functional_call(objective.model, dict(tensors), *arguments(x)))


def _tensors(objective: Objective) -> dict[str, Tensor]:
    """All parameters, removed weights being 0, and buffers."""
    buffers = dict(objective.model.named_buffers())
    return objective.coordinates.fixed | buffers | objective.weights(None)


def _loss_hessians(objective: Objective, examples: slice) -> tuple[Tensor, Tensor]:
    """Of each example's loss in its outputs: eigenvalues (n, r) and eigenvectors (n, r, *outputs), the zeros left out.

    In float64.
    """
    with torch.no_grad():
        outputs = _picked(objective, _tensors(objective), objective.x[examples])
    leaf = outputs.detach().double().requires_grad_()
    with torch.enable_grad():
        summed = objective.losses(leaf, objective.y[examples]).sum()
        (slopes,) = torch.autograd.grad(summed, leaf, create_graph=True, materialize_grads=True)
        rows = [_row(column, leaf) for column in slopes.reshape(len(slopes), -1).sum(0)]
    hessians = torch.stack(rows, 1)  # (n, outputs, outputs)
    values, vectors = torch.linalg.eigh((hessians + hessians.mT) / 2)
    size = values.abs().amax(0)
    counts = size > 1e-14 * size.max()
    chosen = vectors.mT[:, counts].to(outputs.dtype)  # eigenvectors are columns: (n, r, outputs)
    return values[:, counts], chosen.unflatten(2, outputs.shape[1:]) if outputs.ndim > 1 else chosen[..., 0]


def _row(slope: Tensor, leaf: Tensor) -> Tensor:
    """The derivative of one output's slope by all of the same example's outputs, flat (n, outputs)."""
    if not slope.requires_grad:  # a loss linear in the outputs
        return torch.zeros_like(leaf).reshape(len(leaf), -1)
    return torch.autograd.grad(slope, leaf, retain_graph=True, materialize_grads=True)[0].reshape(len(leaf), -1)


def _squares(
    objective: Objective,
    weights: Mapping[str, Tensor],
    constants: Mapping[str, Tensor],
    x: Inputs,
    values: Tensor,
    vectors: Tensor,
) -> Iterator[tuple[str, Tensor]]:
    """By parameter, sum_n sum_r l_r (J_n^T u_r)^2 over the examples x."""
    fields = x.fields if isinstance(x, Several) else x

    def outputs(given: Mapping[str, Tensor], example: Any) -> Tensor:
        alone = as_inputs(tree_map(lambda leaf: leaf[None], example))
        made: Tensor = _picked(objective, {**constants, **given}, alone)[0]
        return made

    def of_one(example: Any, factors: Tensor, directions: Tensor) -> dict[str, Tensor]:
        pull: Any = vjp(partial(outputs, example=example), dict(weights))[1]
        rows: dict[str, Tensor] = vmap(pull)(directions)[0]
        return {name: torch.tensordot(factors.to(row.dtype), row.square(), 1) for name, row in rows.items()}

    try:
        found = vmap(of_one)(fields, values, vectors)
        return ((name, square.sum(0, dtype=torch.float64)) for name, square in found.items())
    except (RuntimeError, NotImplementedError):  # an operation that many examples cannot share: one after the other
        return _one_by_one(outputs, weights, x, values, vectors)


def _one_by_one(outputs: Any, weights: Mapping[str, Tensor], x: Inputs, values: Tensor, vectors: Tensor) -> Any:
    leaves = {name: weight.detach().clone().requires_grad_() for name, weight in weights.items()}
    total = {name: torch.zeros_like(weight, dtype=torch.float64) for name, weight in weights.items()}
    with torch.enable_grad():
        for number, (factors, directions) in enumerate(zip(values, vectors, strict=True)):
            example = x[number : number + 1]
            fields = example.fields if isinstance(x, Several) else example
            made = outputs(leaves, tree_map(lambda leaf: leaf[0], fields))
            for factor, direction in zip(factors, directions, strict=True):
                rows = torch.autograd.grad(
                    made, list(leaves.values()), direction, retain_graph=True, materialize_grads=True
                )
                for name, row in zip(leaves, rows, strict=True):
                    total[name] += factor * row.double().square()
    return iter(total.items())
