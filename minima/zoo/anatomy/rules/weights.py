"""What operations with a weight say of units: linear layers, convolutions, products, embeddings."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from minima.zoo.anatomy.rules.follower import Follower, Numbers
from minima.zoo.anatomy.rules.queries import copies_of_heads, look_at


def weighted(call: Follower, given: dict[str, Any], axis: int, transposed: bool = False) -> Numbers | None:
    """A weight (out, in, ...) with or without a bias (out,) applied to the units along an axis of the input.

    Args:
        transposed: the weight is (in, out).
    """
    units, weight = call.units(given["input"], axis), call.parameter(given["weight"])
    bias = call.parameter(given["bias"])
    if weight is None or (bias is None) != (given["bias"] is None):
        return None
    rows = weight[1 if transposed else 0]
    if not call.read(given["weight"], units, 0 if transposed else 1):
        return None
    call.apply(given["weight"], call.made[0].numel() // len(rows))
    for kernel in weight[2:]:
        call.fix(kernel)
    return _out(call, rows, bias, axis)


def convolved(call: Follower, given: dict[str, Any]) -> Numbers | None:
    """A convolution: of several groups, equally many of each make one unit."""
    groups, weight = given["groups"] or 1, call.parameter(given["weight"])
    if groups == 1 or weight is None:
        return weighted(call, given, axis=1)
    units, bias = call.units(given["input"], 1), call.parameter(given["bias"])
    if units is None or (bias is None) != (given["bias"] is None):
        return None
    rows, each = weight[0].view(groups, -1), units.view(groups, -1)
    call.apply(given["weight"], call.made[0].numel() // len(weight[0]))
    if len(weight[1]) == 1:  # depthwise: each group is one unit
        call.classes.join(each.expand(rows.shape), rows, call.where)
        call.fix(weight[1])
    else:
        call.classes.join(each, weight[1].expand(each.shape), call.where)
        call.demands.reads.add((id(given["weight"]), 1))
        call.gather(rows, [0])
    for kernel in weight[2:]:
        call.fix(kernel)
    return _out(call, weight[0], bias, 1)


def added(call: Follower) -> Numbers | None:
    """addmm: bias + input @ weight, as the linear layers of GPT-2 are written."""
    if call.kwargs or len(call.args) < 3:
        return None
    bias, inputs, weight = call.args[:3]
    if call.parameter(weight) is None:
        return None
    return weighted(call, {"input": inputs, "weight": weight, "bias": bias}, axis=-1, transposed=True)


def multiplied(call: Follower) -> Numbers | None:
    """A product of matrices: with a weight a linear layer; of two activations all of a matrix is one unit, a head."""
    given = call.given("input", "other")
    first, second = given["input"], call.kwargs.get("mat2", given["other"])
    if call.parameter(second) is not None and second.ndim == 2:
        return weighted(call, {"input": first, "weight": second, "bias": None}, axis=-1, transposed=True)
    if call.parameter(first) is not None or call.parameter(second) is not None:
        return None
    sides = [(call.of(each), each) for each in (first, second)]
    gathered = [(call.gather(own, [-2, -1]), each) for own, each in sides if own is not None]
    shape = (*call.made[0].shape[:-2], 1, 1)
    if not gathered or min(first.ndim, second.ndim) < 2:
        return None
    heads = _heads(call, gathered, shape)
    call.demands.heads.append(heads)
    call.demands.products.append((heads, first.shape[-1] * call.made[0].shape[-2:].numel()))
    return [heads.expand(call.made[0].shape)]


def _heads(call: Follower, sides: list[tuple[Tensor, Tensor]], shape: tuple[int, ...]) -> Tensor:
    """Numbers of the matrices of a product of activations, which are given with those of their own matrices."""
    copies = [copies_of_heads(call, tensor) for _, tensor in sides]
    turned = len(sides) == 2 and (copies[0] is not None or sides[0][0].numel() < sides[1][0].numel())
    (one, _), (other, _) = (sides[-1], sides[0]) if turned else (sides[0], sides[-1])
    ours, theirs = (copies[-1], copies[0]) if turned else (copies[0], copies[-1])
    heads = one.expand(shape)
    if len(sides) == 2:
        look_at(call, heads, other, None if ours is not None else theirs)
    return heads


def looked_up(call: Follower) -> Numbers | None:
    """An embedding: its columns are units, its rows are what is looked up."""
    weight = call.parameter(call.given("input", "weight")["weight"])
    if weight is None:
        return None
    call.fix(weight[0])
    return call.spread(weight[1], -1)


def _out(call: Follower, rows: Tensor, bias: list[Tensor] | None, axis: int) -> Numbers | None:
    if bias is not None:
        call.classes.join(rows, bias[0], call.where)
    return call.spread(rows, axis)
