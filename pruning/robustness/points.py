"""Inputs of any structure as a list of tensors, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minima.zoo.examples.inputs import Inputs, Several, leaves

if TYPE_CHECKING:
    from torch import Tensor

Points = list["Tensor"]
"""the inputs of some examples, tensor by tensor"""


def points_of(x: Inputs) -> Points:
    """The tensors (n, ...) that the inputs of a chunk are made of."""
    return [leaf.detach() for leaf in leaves(x)]


def inputs_of(points: Points, like: Inputs) -> Inputs:
    """Inputs of the structure of others, made of these tensors.

    >>> import torch
    >>> inputs_of([torch.ones(2)], Several({"u": torch.zeros(5)})).fields
    {'u': tensor([1., 1.])}
    """
    if not isinstance(like, Several):
        return points[0]
    parts = iter(points)
    return like.map(lambda _: next(parts))
