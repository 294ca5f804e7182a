"""How dependence on the input goes through the operations of torch: which entries of a result it reaches.

Each rule takes a call and what it made, and returns where that depends on the input, or None: everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from minima.zoo.anatomy.operations import (
    ACTIVATIONS,
    CLAMPS,
    CONVERSIONS,
    CONVOLUTIONS,
    DROPOUTS,
    EXTREMES,
    JOINS,
    MATRIX_PRODUCTS,
    MOVES,
    OPERANDS,
    POINTWISE,
    POOLS,
    PRODUCTS,
    REDUCTIONS,
    SAME,
    SOFTMAXES,
    SUMS,
    named,
)

Found = list[Tensor] | None


@dataclass(frozen=True)
class Dependence:
    """One call of an operation, and where its operands depend on the input."""

    depends: WeakTensorKeyDictionary
    weighings: WeakTensorKeyDictionary
    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def of(self, value: Any) -> Tensor:
        """bool, of the value's shape: where it depends on the input. What nobody saw made may depend everywhere."""
        if not torch.is_tensor(value):
            return torch.tensor(False)
        found = self.depends.get(value)
        return torch.tensor(True).expand(value.shape) if found is None else found

    def counts(self, value: Any) -> Tensor:
        """The same as numbers, 1 where it depends, that operations take."""
        return self.of(value).double()

    def any(self) -> bool:
        """Whether any operand depends on the input."""
        return any(bool(self.of(leaf).any()) for leaf in tree_leaves((self.args, self.kwargs)) if torch.is_tensor(leaf))

    def given(self, *names: str) -> dict[str, Any]:
        """Arguments by these names, None where there are none."""
        given = named(names, self.args, self.kwargs)
        return {name: given.get(name) for name in names}

    def matters(self, value: Tensor) -> Tensor:
        """Where a factor may be other than zero."""
        return (self.of(value) | (value != 0)).double()


def weighted(call: Dependence, _made: list[Tensor]) -> Found:
    """A linear layer or a convolution: what it makes depends on what it reads through weights that are not zero."""
    given = named(OPERANDS, call.args[:3], call.kwargs)
    others = {key: value for key, value in given.items() if key not in OPERANDS}
    if call.of(given["weight"]).any() or call.of(given.get("bias")).any():
        return None
    found = call.func(call.counts(given["input"]), call.matters(given["weight"]), None, *call.args[3:], **others)
    return [found > 0]


def added(call: Dependence, made: list[Tensor]) -> Found:
    """A linear layer written as bias + input @ weight."""
    bias, first, second = call.args[:3]
    product = _product(call, first, second) > 0
    return [(product | call.of(bias)).expand(made[0].shape)]


def multiplied(call: Dependence, made: list[Tensor]) -> Found:
    """A product of matrices. Shares that sum to one of what is the same in all rows are that same."""
    first, second = call.args[:2]
    found = _product(call, first, second) > 0
    if first in call.weighings and second.ndim > 1:
        found = found & _varies(call, second).expand(made[0].shape)
    return [found]


def attended(call: Dependence, made: list[Tensor]) -> Found:
    """Shares that sum to one of the rows of values, or zeros where a mask may hide all of them."""
    given = call.given("query", "key", "value", "attn_mask")
    value, mask = given["value"], given["attn_mask"]
    varies = _varies(call, value)
    if mask is not None and (bool(call.of(mask).any()) or not _all_see(mask)):
        varies = varies | (value != 0).any(-2, keepdim=True)
    if varies.ndim > 2 and varies.shape[-3] != made[0].shape[-3]:
        varies = varies.repeat_interleave(made[0].shape[-3] // varies.shape[-3], -3)
    return [varies.expand(made[0].shape)]


def batch_norm(call: Dependence, _made: list[Tensor]) -> Found:
    """A batch norm: where its scale is zero only the shift is left, a constant."""
    given = call.given("input", "running_mean", "running_var", "weight", "bias")
    found, scale = call.of(given["input"]), given["weight"]
    if given["running_mean"] is None:
        return None
    return [found if scale is None else found & (scale != 0).view(-1, *[1] * (found.ndim - 2))]


def layer_norm(call: Dependence, _made: list[Tensor]) -> Found:
    """A layer norm: each entry is compared with all others."""
    given = call.given("input", "normalized_shape")
    found = call.of(given["input"])
    axes = tuple(range(-len(given["normalized_shape"]), 0))
    return [found.any(axes[0], keepdim=True).expand(found.shape)] if len(axes) == 1 else None


def softmax(call: Dependence, made: list[Tensor]) -> Found:
    """A softmax: each entry is compared with all others along an axis."""
    given = call.given("input", "dim")
    found, dim = call.of(given["input"]), given["dim"]
    if dim is None:
        return None
    if dim in (-1, found.ndim - 1) and getattr(call.func, "__name__", "") == "softmax":
        call.weighings[made[0]] = True
    return [found.any(dim, keepdim=True).expand(found.shape)]


def kept(call: Dependence, made: list[Tensor]) -> Found:
    """An operation that hands on its first operand, perhaps as another type."""
    if call.args[0] in call.weighings and made[0].is_floating_point():
        call.weighings[made[0]] = True
    return [call.of(call.args[0])]


def same_place(call: Dependence, made: list[Tensor]) -> Found:
    """An operation entry by entry of all operands."""
    values = [value for value in (*call.args, *call.kwargs.values()) if bool(call.of(value).any())]
    found = torch.zeros(made[0].shape, dtype=torch.bool)
    for value in values:
        found = found | call.of(value)
    return [found]


def product(call: Dependence, made: list[Tensor]) -> Found:
    """A product entry by entry: nothing times a constant zero depends on anything."""
    first, second = call.given("input", "other").values()
    if made[0] is first:  # in place: what it held is gone
        return same_place(call, made)
    one, other = call.of(first), call.of(second)
    there = [torch.as_tensor(value) != 0 for value in (first, second)]
    return [((one & (other | there[1])) | (other & (one | there[0]))).expand(made[0].shape)]


def moved(call: Dependence, _made: list[Tensor]) -> Found:
    """An operation that moves entries to other places."""
    others = [leaf for leaf in tree_leaves((call.args[1:], call.kwargs)) if torch.is_tensor(leaf)]
    if any(bool(call.of(leaf).any()) for leaf in others):
        return None
    found = call.func(call.of(call.args[0]).contiguous(), *call.args[1:], **call.kwargs)
    return [found] if torch.is_tensor(found) else list(found)


def joined(call: Dependence, _made: list[Tensor]) -> Found:
    """Concatenation: operands are put side by side."""
    return [call.func([call.of(part) for part in call.args[0]], *call.args[1:], **call.kwargs)]


def padded(call: Dependence, _made: list[Tensor]) -> Found:
    """What is put beside an activation is a constant, or some of it."""
    given = call.given("input", "pad", "mode")
    return [pad(call.counts(given["input"]), given["pad"], mode=given["mode"] or "constant") > 0]


def pooled(call: Dependence, _made: list[Tensor]) -> Found:
    """A pooling: what it makes depends on any entry of a window."""
    found = call.func(call.counts(call.args[0]), *call.args[1:], **call.kwargs)
    return [found > 0] if torch.is_tensor(found) else None


def reduced(call: Dependence, made: list[Tensor]) -> Found:
    """A reduction depends on whatever any of the entries along its axes depends on."""
    given = call.given("input", "dim", "keepdim")
    found, dims = call.counts(given["input"]), given["dim"]
    if dims is None:
        return None
    return [(found.amax(dims, keepdim=bool(given["keepdim"])) > 0).view(made[0].shape)]


def _product(call: Dependence, first: Tensor, second: Tensor) -> Tensor:
    forward = torch.matmul(call.counts(first), call.matters(second))
    return forward + torch.matmul(call.matters(first), call.counts(second))


def _all_see(mask: Tensor) -> bool:
    """Whether a mask leaves each row something."""
    seen = mask if mask.dtype == torch.bool else mask > -torch.inf
    return bool(seen.any(-1).all())


def _varies(call: Dependence, value: Tensor) -> Tensor:
    """(..., 1, d): whether a column of values depends on the input, or is not the same in all rows."""
    differs = (value != value.narrow(-2, 0, 1)).any(-2, keepdim=True)
    return call.of(value).any(-2, keepdim=True) | differs


KEEPING = SAME | CONVERSIONS | DROPOUTS

RULES: dict[str, Callable[[Dependence, list[Tensor]], Found]] = {
    **dict.fromkeys(CONVOLUTIONS | {"linear"}, weighted),
    **dict.fromkeys(MATRIX_PRODUCTS, multiplied),
    **dict.fromkeys(MOVES - SAME, moved),
    **dict.fromkeys(KEEPING, kept),
    **dict.fromkeys(ACTIVATIONS | CLAMPS | POINTWISE, same_place),
    **dict.fromkeys(SUMS | PRODUCTS | EXTREMES | {"where", "masked_fill"}, same_place),
    **dict.fromkeys(SOFTMAXES, softmax),
    **dict.fromkeys(POOLS, pooled),
    **dict.fromkeys(REDUCTIONS, reduced),
    **dict.fromkeys(JOINS, joined),
    "addmm": added,
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "mul": product,
    "pad": padded,
    "scaled_dot_product_attention": attended,
}
"""by operation"""
