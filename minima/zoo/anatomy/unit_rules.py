"""What each operation says of units: whose entries its result has, and which of its inputs' entries are one.

Each rule takes a call and returns the numbers of what was made, or None: not understood.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from minima.zoo.anatomy.operations import (
    ACTIVATIONS,
    CLAMPS,
    CONVERSIONS,
    CONVOLUTIONS,
    DROPOUTS,
    EXTREMES,
    GEOMETRY,
    JOINS,
    MATRIX_PRODUCTS,
    MOVES,
    OPERANDS,
    POINTWISE,
    POOLS,
    PRODUCTS,
    REDUCTIONS,
    REPEATS,
    SOFTMAXES,
    SUMS,
)
from minima.zoo.anatomy.rules.attention import ATTENTION
from minima.zoo.anatomy.rules.follower import Follower, Numbers
from minima.zoo.anatomy.rules.queries import carry_copies, keep_copies
from minima.zoo.anatomy.rules.weights import added, convolved, looked_up, multiplied, weighted
from minima.zoo.anatomy.tape import is_tensor
from minima.zoo.anatomy.union_find import FIXED, NOTHING


def linear(call: Follower) -> Numbers | None:
    """A linear layer reads units along the last axis, and makes one of each row of its weight."""
    return weighted(call, call.given(*OPERANDS), axis=-1)


def convolution(call: Follower) -> Numbers | None:
    """A convolution reads channels and makes one along the first axis of its weight; of several groups equally many of
    each.
    """
    return convolved(call, call.given(*OPERANDS, *GEOMETRY))


def batch_norm(call: Follower) -> Numbers | None:
    """A batch norm has statistics, scale and shift for each channel, which go with it."""
    given = call.given("input", "running_mean", "running_var", "weight", "bias")
    return _per_unit(call, given, axis=1)


def layer_norm(call: Follower) -> Numbers | None:
    """A layer norm goes over the last axis: any order of the units has the same mean and variance, but without one unit
    there are others.
    """
    given = call.given("input", "normalized_shape", "weight", "bias")
    own = call.of(given["input"])
    if own is None or len(given.pop("normalized_shape")) != 1:
        return None
    given.pop("eps", None)
    call.normalise(own, [-1])
    return _per_unit(call, given, axis=-1)


def elementwise(call: Follower) -> Numbers | None:
    """An operation entry by entry: an entry remains that of the unit it was."""
    own = call.of(call.args[0])
    tensors = [each for each in (*call.args[1:], *call.kwargs.values()) if is_tensor(each) and each.ndim]
    keep_copies(call)
    return None if own is None or any(each in call.numbers for each in tensors) else [own]


def softmax(call: Follower) -> Numbers | None:
    """A softmax: an entry remains that of the unit it was, but depends on all others along an axis."""
    own, dim = call.of(call.args[0]), call.given("input", "dim")["dim"]
    if own is None or dim is None:
        return None
    call.normalise(own, [dim])
    return [own]


def combined(call: Follower) -> Numbers | None:
    """An operation of two operands entry by entry, such as a sum: what meets is the same unit. A parameter follows the
    axes of what it meets.

    What is the same for all units that it meets is no unit with them: a mask of attention, a gate of one channel.
    """
    shape, operands = call.made[0].shape, list(call.given("input", "other").values())
    tensors = [each for each in operands if is_tensor(each) and each.ndim and call.parameter(each) is None]
    mains = [each for each in tensors if not _is_shared(call, each, shape)] or tensors
    own = torch.tensor(NOTHING)
    for operand in mains:
        known = call.of(operand)
        other = (torch.full(operand.shape, FIXED) if known is None else known).expand(shape)
        call.classes.join(own.expand(shape), other, call.where)
        own = torch.where(own.expand(shape) == NOTHING, other, own.expand(shape))
    if not own.ndim:
        return None
    for operand in tensors:
        if not any(operand is each for each in mains):
            known = call.of(operand)
            if known is not None:
                call.fix(known)
            call.meet(own.expand(shape), operand.shape)
    fits = [_follow(call, each, own.expand(shape)) for each in operands if call.parameter(each) is not None]
    return [own.expand(shape)] if all(fits) else None


def moved(call: Follower) -> Numbers | None:
    """An operation that only moves entries about moves their numbers."""
    own = call.of(call.args[0])
    if own is None:
        return None
    numbers = call.on(own.clone())
    carry_copies(call, numbers)
    return numbers


def pooled(call: Follower) -> Numbers | None:
    """Pooling leaves every channel where it was."""
    own = call.of(call.args[0])
    units = None if own is None else call.classes.along(own, 1)
    return None if units is None else call.spread(units, 1)


def reduced(call: Follower) -> Numbers | None:
    """A mean or sum over axes."""
    given = call.given("input", "dim", "keepdim")
    own, dims = call.of(given["input"]), given["dim"]
    if own is None or dims is None:
        return None
    dims = list(dims) if isinstance(dims, list | tuple) else [dims]
    alike = all(call.classes.alike(own, axis) for axis in dims)
    found = call.classes.of(own).amax(dims, keepdim=True) if alike else call.normalise(own, dims)
    return [found if given["keepdim"] else found.squeeze(dims)]


def padded(call: Follower) -> Numbers | None:
    """Padding with zeros: along the units themselves those are units of their own, elsewhere they are none."""
    given = call.given("input", "pad", "mode", "value")
    own = call.of(given["input"])
    if own is None or given["mode"] not in (None, "constant") or given["value"]:
        return None
    amounts = list(given["pad"])
    for back in range(len(amounts) // 2):
        sides, axis = amounts[2 * back : 2 * back + 2], -1 - back
        whole = not call.classes.alike(own, axis) and min(sides) >= 0
        own = pad(own, (0, 0) * back + tuple(sides), value=NOTHING)
        if whole:
            fresh = call.classes.new(own.shape[axis]).view(-1, *(1,) * back)
            places = torch.arange(own.shape[axis]).view(-1, *(1,) * back)
            outside = (places < sides[0]) | (places >= own.shape[axis] - sides[1])
            own = torch.where(outside, fresh.expand(own.shape), own)
    return [own]


def joined(call: Follower) -> Numbers | None:
    """Concatenation: units are put side by side."""
    parts = [call.of(part) for part in call.args[0]]
    known = [part for part in parts if part is not None]
    return call.on(known) if len(known) == len(parts) else None


def _is_shared(call: Follower, operand: Tensor, shape: torch.Size) -> bool:
    """Whether an operand is the same for units that it meets: no units but constants or one alone, and broadcast."""
    known = call.of(operand)
    if operand.numel() == torch.Size(shape).numel():
        return False
    return known is None or all(call.classes.alike(known, axis) for axis in range(known.ndim))


def _per_unit(call: Follower, given: dict[str, Any], axis: int) -> Numbers | None:
    """Each of the tensors given beside the input has an entry for each unit along an axis."""
    own = call.of(given["input"])
    units = None if own is None else call.classes.along(own, axis)
    tensors = [tensor for name, tensor in given.items() if name != "input" and tensor is not None]
    known = [each for each in map(call.parameter, tensors) if each is not None]
    if own is None or len(known) < len(tensors):
        return None
    if units is None:  # the same for several rows
        call.demand_alike(own, axis)
        for (entries,) in known:
            call.fix(entries)
        return [own]
    return [own] if all(call.one(units, entries) for (entries,) in known) else None


def _follow(call: Follower, parameter: Tensor, own: Tensor) -> bool:
    """Each axis of a parameter is that of what it meets there; whether that can be said."""
    axes = call.parameter(parameter)
    assert axes is not None
    for back, entries in enumerate(reversed(axes), start=1):
        if len(entries) == 1:
            continue
        along = call.classes.along(own, -back)
        if call.classes.alike(own, -back):
            call.fix(entries)
        elif along is None:
            call.fix(entries)
            call.demand_alike(own, -back)
        elif not call.one(along, entries):
            return False
    return True


RULES: dict[str, Callable[[Follower], Numbers | None]] = {
    "linear": linear,
    "addmm": added,
    "embedding": looked_up,
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "pad": padded,
    **ATTENTION,
    **dict.fromkeys(CONVOLUTIONS, convolution),
    **dict.fromkeys(MATRIX_PRODUCTS, multiplied),
    **dict.fromkeys(MOVES | REPEATS, moved),
    **dict.fromkeys(CONVERSIONS | DROPOUTS | POINTWISE | CLAMPS | (ACTIVATIONS - {"prelu"}), elementwise),
    **dict.fromkeys(SOFTMAXES, softmax),
    **dict.fromkeys(POOLS, pooled),
    **dict.fromkeys(SUMS | PRODUCTS | EXTREMES, combined),
    **dict.fromkeys(REDUCTIONS, reduced),
    **dict.fromkeys(JOINS, joined),
}
"""by operation"""
