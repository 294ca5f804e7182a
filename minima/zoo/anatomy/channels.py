"""Along which axis of an activation its channels lie, from operation to operation."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from minima.zoo.anatomy.operations import CHANNELS_LAST, CHANNELS_SECOND, MOVES, REDUCTIONS, REPEATS, SAME
from minima.zoo.anatomy.tape import Operation, Value, concrete

FEW = 2
"""examples that tell how a move goes"""


def channel_axis(name: str, before: int) -> int:
    """The axis of the channels after an operation, given where it was before: 1 as in NCHW, or -1 as in tokens."""
    if name in CHANNELS_SECOND:
        return 1
    return -1 if name in CHANNELS_LAST else before


def channel_axes(operation: Operation, operand: Any, before: int) -> list[int]:
    """The axis of the channels in each result of an operation, given where it was in the operand that it goes on from:
    1, -1, or between them counted from 0.

    Entries that are moved take their channel along. Where they then lie along several axes, as of heads that are split,
    or were summed over, the axis stays what it was.
    """
    name, count = operation.name, len(operation.made)
    axis = channel_axis(name, before)
    if axis != before or operand.ndim < 2 or name in SAME:
        return [axis] * count
    if name in REDUCTIONS:
        return [_reduced(operation, operand.ndim, before)] * count
    if count and name in MOVES | REPEATS and operation.args and operation.args[0] is operand:
        return _moved(operation, operand, before)
    return [before] * count


def _reduced(operation: Operation, axes: int, before: int) -> int:
    given = operation.given("input", "dim", "keepdim")
    dim = operation.kwargs.get("axis", given["dim"])
    if dim is None or given["keepdim"]:
        return before
    gone = {axis % axes for axis in (dim if isinstance(dim, tuple | list) else [dim])}
    place = before % axes
    if place in gone:
        return before
    return _counted(place - sum(axis < place for axis in gone), axes - len(gone), before)


def _moved(operation: Operation, operand: Any, before: int) -> list[int]:
    """By moving, in the place of the operand, the number of each entry's channel."""
    axis, shape = before % operand.ndim, operand.shape
    held = operand.tensor if isinstance(operand, Value) else operand
    numbers = torch.arange(shape[axis], device=held.device).view([-1 if a == axis else 1 for a in range(len(shape))])
    args = [numbers.expand(shape) if each is operand else concrete(each) for each in operation.args]
    try:
        moved = operation.func(*args, **concrete(operation.kwargs))
    except (RuntimeError, TypeError, ValueError, IndexError):
        return [before] * len(operation.made)
    results = [moved] if isinstance(moved, Tensor) else list(moved)
    if len(results) != len(operation.made):
        return [before] * len(operation.made)
    return [_along(each, before) for each in results]


def _along(numbers: Tensor, before: int) -> int:
    """The one axis along which the channels' numbers differ; as before where there is none, or several."""
    some = numbers[:FEW]
    varying = [axis for axis in range(some.dim()) if bool((some != some.narrow(axis, 0, 1)).any())]
    alone = len(varying) == 1 and varying != [0]
    return _counted(varying[0], numbers.dim(), before) if alone else before


def _counted(axis: int, axes: int, before: int) -> int:
    """An axis as 1 or -1 where it is the second or the last, in the way in which it was told before if it is both."""
    if axis == axes - 1 and (before != 1 or axis != 1):
        return -1
    return axis
