"""Multiply-adds of an operation by the shapes of what it was given and made, whether or not its units are followed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isqrt, prod
from typing import Any

from minima.zoo.anatomy import operations as known
from minima.zoo.anatomy.rules.attention import MULTI_HEAD
from minima.zoo.anatomy.tape import Operation, is_tensor

WITHOUT = frozenset().union(
    *(getattr(known, name) for name in ("ACTIVATIONS", "CLAMPS", "SOFTMAXES", "POINTWISE", "SUMS", "PRODUCTS")),
    *(getattr(known, name) for name in ("EXTREMES", "POOLS", "REDUCTIONS", "JOINS", "CONVERSIONS", "DROPOUTS")),
    *(getattr(known, name) for name in ("MOVES", "REPEATS", "BLENDS", "NEW", "LEAVING", "NORMS")),
    ("embedding", "embedding_bag", "where", "lerp", "pad", "setitem", "normalize", "copy", "fill", "masked_scatter"),
    ("eq", "ne", "lt", "gt", "le", "ge"),
)
"""operations that have none: entry by entry, sums, moves, look-ups"""


def multiply_adds(operation: Operation) -> int | None:
    """How many an operation takes, 0 where it is known to take none; None where that is not known.

    >>> import torch
    >>> from minima.zoo.anatomy.tape import record
    >>> tape = record(torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU()), torch.zeros(1, 3))
    >>> [multiply_adds(each) for each in tape.operations]
    [12, 0]
    """
    if operation.name in WITHOUT:
        return 0
    count = _COUNTS.get(operation.name)
    return None if count is None or not operation.made else count(operation)


def _rows(tensor: Any) -> int:
    """How many vectors along the last axis."""
    return int(tensor.numel() // max(1, tensor.shape[-1])) if tensor.ndim else 1


def _layer(operation: Operation) -> int:
    given = operation.given(*known.OPERANDS)
    weight = given["weight"]
    side = given["input"] if operation.name in known.TRANSPOSED else operation.made[0]
    return int(side.numel() * prod(weight.shape[1:]))


def _product(operation: Operation) -> int:
    return int(operation.made[0].numel() * operation.operands[0].shape[-1])


def _added_product(operation: Operation) -> int:
    first = operation.operands[1]
    return int(operation.made[0].numel() * first.shape[-1] * (first.shape[0] if operation.name == "addbmm" else 1))


def _tensordot(operation: Operation) -> int:
    """Of two tensors of n and m entries that make k, each sums sqrt(n m / k) products."""
    first, second = (each.numel() for each in operation.operands[:2])
    return isqrt(first * second * operation.made[0].numel())


def _bilinear(operation: Operation) -> int:
    weight = operation.given("input1", "input2", "weight")["weight"]
    return int(_rows(operation.made[0]) * weight.numel())


def _recurrent(operation: Operation) -> int:
    """Every matrix is applied at every step: of a layer's input, of its state, of what comes out."""
    flat = [each for each in operation.args if isinstance(each, list | tuple)][-1]
    return _rows(operation.args[0]) * _entries(flat)


def _cell(operation: Operation) -> int:
    return _rows(operation.args[0]) * _entries(operation.args[2:4])


def _entries(weights: Iterable[Any]) -> int:
    return sum(each.numel() for each in weights if is_tensor(each) and each.ndim > 1)


def _attention(operation: Operation) -> int:
    query, key, value = operation.given("query", "key", "value").values()
    return int(_rows(operation.made[0]) * key.shape[-2] * (query.shape[-1] + value.shape[-1]))


def _multi_head(operation: Operation) -> int:
    given = operation.given(*MULTI_HEAD)
    steps = [_rows(given[side]) for side in ("query", "key", "value")]
    if given["use_separate_proj_weight"]:
        widths = [given[f"{each}_proj_weight"].numel() for each in "qkv"]
    else:
        widths = [given["in_proj_weight"].numel() // 3] * 3
    added = (given["bias_k"] is not None) + bool(given["add_zero_attn"])
    out = given["out_proj_weight"]
    projected = sum(count * width for count, width in zip(steps, widths, strict=True))
    return int(projected + steps[0] * out.numel() + 2 * steps[0] * (steps[1] + added) * out.shape[1])


def _einsum(operation: Operation) -> int | None:
    """Of two operands: one for each choice of all indices, those summed over in one operand alone left out."""
    equation, operands = operation.args[0], operation.operands
    if not isinstance(equation, str) or len(operands) > 2:
        return None
    if len(operands) < 2:
        return 0
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = [_labels(term, each.ndim) for term, each in zip(left.split(","), operands, strict=True)]
    one, other = (dict(zip(term, each.shape, strict=True)) for term, each in zip(terms, operands, strict=True))
    kept = set(right.replace("...", "")) if arrow else {*one, *other}
    return prod(
        max(one.get(label, 1), other.get(label, 1))
        for label in {*one, *other}
        if label in kept or label in one.keys() & other.keys() or isinstance(label, int)
    )


def _labels(term: str, axes: int) -> list[Any]:
    """The indices of an operand; of an ellipsis, the axes counted from its end."""
    before, dots, after = term.partition("...")
    hidden = axes - len(before) - len(after) if dots else 0
    return [*before, *range(-hidden, 0), *after]


_COUNTS: dict[str, Callable[[Operation], int | None]] = {
    **dict.fromkeys(known.LAYERS - {"addmm"}, _layer),
    **dict.fromkeys([*known.MATRIX_PRODUCTS, "mv", "dot", "vdot", "inner"], _product),
    **dict.fromkeys(["addmm", "baddbmm", "addmv", "addbmm"], _added_product),
    **dict.fromkeys(["lstm", "gru", "rnn_tanh", "rnn_relu"], _recurrent),
    **dict.fromkeys(["lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell"], _cell),
    "tensordot": _tensordot,
    "bilinear": _bilinear,
    "einsum": _einsum,
    "scaled_dot_product_attention": _attention,
    "multi_head_attention_forward": _multi_head,
}
"""by operation"""
