"""How paths go through the operations of torch: on marks (see `marks`), which are never negative, so none cancel.

By name, as in `operations`. An activation hands every signal on, a maximum those of all its inputs, a product those
of either factor; the statistics of a normalisation and the weights of a softmax's sum carry none from place to place.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils._pytree import tree_map

from minima.store.command import BadInput
from minima.zoo.anatomy.operations import (
    ACTIVATIONS,
    AVERAGE_POOLS,
    BLENDS,
    CHANNELS_SECOND,
    CLAMPS,
    CONVERSIONS,
    DROPOUTS,
    EXTREMES,
    JOINS,
    MATRIX_PRODUCTS,
    MOVES,
    NORMS,
    OPERANDS,
    POINTWISE,
    PRODUCTS,
    SAME,
    SOFTMAXES,
    SUMS,
    named,
)
from minima.zoo.anatomy.paths.marks import factor, is_mark, is_signal, marked, summand

Rule = Callable[[Callable[..., Any], Sequence[Any], Mapping[str, Any]], Any]

POOLING = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")


def weighted(func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tensor:
    """A linear layer or a convolution; its bias is a constant."""
    given = named(OPERANDS, args[:3], kwargs)
    given.pop("bias", None)
    result: Tensor = func(summand(given.pop("input")), factor(given.pop("weight")), None, *args[3:], **given)
    return result


def _unchanged(func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:  # noqa: ARG001
    return args[0] if args else kwargs["input"]


def _moved(func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    return func(*tree_map(summand, args), **tree_map(summand, kwargs))


def _filled(position: int) -> Rule:
    """What is put in is a constant, unless it is a signal itself; `position`: its place among the arguments."""

    def rule(func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tensor:
        value = kwargs.get("value", args[position] if len(args) > position else 0.0)
        rest = {name: each for name, each in kwargs.items() if name != "value"}
        result: Tensor = func(*args[:position], **rest, value=value if is_mark(value) else 0.0)
        return result

    return rule


def assigned(args: Sequence[Any]) -> Tensor:
    """What a tensor is after `tensor[index] = value`."""
    target, index, value = args
    before = target.clone() if is_mark(target) else torch.zeros(target.shape, dtype=torch.float64)
    before[index] = summand(value) if torch.is_tensor(value) else 0.0
    return before


def _combined(func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tensor:  # noqa: ARG001
    """A path goes on from every operand."""
    operands = [value for value in (*args, *kwargs.values()) if torch.is_tensor(value)]
    shape = torch.broadcast_shapes(*(operand.shape for operand in operands))
    total: Tensor = sum(
        (operand.expand(shape) for operand in operands if operand.requires_grad), torch.zeros((), dtype=torch.float64)
    )
    return total


def _multiplied(func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """A path goes on from either factor; what a weight or a constant removes is removed."""
    operands = [value for value in (*args, *kwargs.values()) if torch.is_tensor(value)]
    if sum(is_signal(operand) for operand in operands) < 2:
        return func(*tree_map(factor, [_open(value) for value in args]), **kwargs)
    return _either(func, args, kwargs)


def _open(value: Any) -> Any:
    """A number that a signal is multiplied by: a path goes on unless it is zero, whatever its sign."""
    return float(value != 0) if isinstance(value, int | float) else value


def _divided(func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:  # noqa: ARG001
    """A quotient, as a product: a path goes on from what is divided and from what it is divided by."""
    given = named(("input", "other"), args, kwargs)
    return _multiplied(operator.mul, (given["input"], given["other"]), {})


def _either(func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tensor:
    """The sum over the signals of the product with the others' marks taken as 1."""
    signals = [value for value in args if is_signal(value)]

    def others_open(kept: Tensor) -> list[Any]:
        return [torch.ones_like(v) if is_signal(v) and v is not kept else v for v in args]

    total: Tensor = sum((func(*others_open(kept), **kwargs) for kept in signals), torch.zeros((), dtype=torch.float64))
    return total


def _normalised(position: int) -> Rule:
    def rule(func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tensor:
        signal: Tensor = args[0] if args else kwargs["input"]
        scale = kwargs.get("weight", args[position] if len(args) > position else None)
        if scale is None:
            return signal
        per_channel = getattr(func, "__name__", "") in CHANNELS_SECOND
        return signal * factor(scale.view(-1, *[1] * (signal.ndim - 2)) if per_channel else scale)

    return rule


def _attended(func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tensor:  # noqa: ARG001
    given = named(("query", "key", "value"), args, kwargs)
    query, key, value = (given[name] for name in ("query", "key", "value"))
    scores = marked(_either(torch.matmul, (query, key.transpose(-2, -1)), {}))
    return _either(torch.matmul, (scores, value), {})


def _pooled(mean: Callable[..., Tensor]) -> Rule:
    """The largest may be any of a window: the mean over the same windows."""

    def rule(func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tensor:
        given = named(POOLING, args, kwargs)
        dilation = given.pop("dilation", 1)
        if given.pop("return_indices", False) or dilation not in (1, (1,), (1, 1), (1, 1, 1), [1, 1]):
            raise BadInput(
                f"the network uses {func.__name__} with dilation or indices, through which paths are not followed"
            )
        return mean(**given)

    return rule


def _mean_instead(func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tensor:  # noqa: ARG001
    return torch.mean(*args, **kwargs)


def _adaptive(mean: Callable[..., Tensor]) -> Rule:
    def rule(func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tensor:  # noqa: ARG001
        return mean(*args[:2], **{name: value for name, value in kwargs.items() if name != "return_indices"})

    return rule


RULES: dict[str, Rule] = {
    **dict.fromkeys(MOVES | BLENDS | JOINS | AVERAGE_POOLS | {"sum", "mean"}, _moved),
    "pad": _filled(3),
    "masked_fill": _filled(2),
    **dict.fromkeys(ACTIVATIONS | CLAMPS | SOFTMAXES | POINTWISE | {"normalize"}, _unchanged),
    **dict.fromkeys(SAME | CONVERSIONS | DROPOUTS, _unchanged),
    **dict.fromkeys(SUMS | EXTREMES | {"where", "lerp", "pow"}, _combined),
    **dict.fromkeys(MATRIX_PRODUCTS | {"mul", "einsum"}, _multiplied),
    **dict.fromkeys(PRODUCTS - {"mul"}, _divided),
    **{name: _normalised(position) for name, position in NORMS.items()},
    **dict.fromkeys(["amax", "amin"], _mean_instead),
    **{f"max_pool{n}d": _pooled(getattr(functional, f"avg_pool{n}d")) for n in (1, 2, 3)},
    **{f"adaptive_max_pool{n}d": _adaptive(getattr(functional, f"adaptive_avg_pool{n}d")) for n in (1, 2, 3)},
    "scaled_dot_product_attention": _attended,
}
