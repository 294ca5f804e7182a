"""Hessian-vector products by double backward (Pearlmutter 1994), of the summed loss of a chunk of examples."""

from __future__ import annotations

import torch
from torch import Tensor

from landscape.objective.graphs import Chunk, slopes

Gradient = tuple[tuple[Tensor, ...], list[Tensor]]
"""a gradient with its graph, and the parameters it is a function of"""


def gradient_graph(chunk: Chunk) -> Gradient:
    """The gradient of the summed loss, to be differentiated again."""
    return slopes(chunk.losses.sum(), chunk.parameters, create_graph=True), chunk.parameters


def second_backward(graph: Gradient, direction: list[Tensor]) -> tuple[Tensor, ...]:
    """d(gradient . direction) / d parameters, in their shapes; zero where the gradient is constant.

    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> chunk = Chunk(slice(1), [w], None, (w**3).sum()[None])
    >>> second_backward(gradient_graph(chunk), [torch.tensor([1.0, 1.0])])
    (tensor([ 6., 12.]),)
    """
    gradient, parameters = graph
    along = torch.stack([(g * v).sum().double() for g, v in zip(gradient, direction, strict=True)]).sum()
    return slopes(along, parameters, retain_graph=True)
