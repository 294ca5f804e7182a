"""How paths go through the operations of torch: on marks (see `marks`), which are never negative, so none cancel.

By name, as in `operations`. An activation hands every signal on, a maximum those of all its inputs, a product those
of either factor; the statistics of a normalisation and the weights of a softmax's sum carry none from place to place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils._pytree import tree_map

from minima.store.command import BadInput
from minima.zoo.anatomy.marks import factor, is_signal, marked, summand
from minima.zoo.anatomy.operations import ACTIVATIONS, CHANNELS_SECOND, CLAMPS, OPERANDS, SHAPE_ONLY, SOFTMAXES, named

Rule = Callable[[Callable[..., Any], Sequence[Any], Mapping[str, Any]], Any]


def _names(text: str) -> list[str]:
    return text.split()


WEIGHTED = frozenset({"linear", *(f"conv{kind}{n}d" for kind in ("", "_transpose") for n in (1, 2, 3))})
"""made of weights: see `weighted`"""
WITHOUT_PATH = _names("zeros_like ones_like full_like empty_like rand_like new_zeros new_ones new_full")
"""of a signal's shape only"""
MOVING = _names("""cat concat concatenate stack hstack vstack pad sum mean roll flip repeat tile interpolate unfold fold
    pixel_shuffle pixel_unshuffle channel_shuffle index_select gather masked_fill tril triu broadcast_to avg_pool1d
    avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d""")
"""linear, with coefficients that are not negative"""
POINTWISE = _names("""neg abs absolute exp log log1p sqrt rsqrt square pow erf sin cos reciprocal nan_to_num normalize
    detach clone contiguous to type type_as float double half bfloat16""")
"""a signal stays where it is; casts as well, since marks have one type"""
SCALE_OF_A_NORM = {"batch_norm": 3, "instance_norm": 3, "layer_norm": 2, "group_norm": 2, "rms_norm": 2}
"""where it stands among the arguments"""
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
        return func(*tree_map(factor, args), **kwargs)
    return _either(func, args, kwargs)


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
    **dict.fromkeys([*SHAPE_ONLY, *MOVING], _moved),
    **dict.fromkeys([*ACTIVATIONS, *CLAMPS, *SOFTMAXES, *POINTWISE], _unchanged),
    **dict.fromkeys([name for name in SHAPE_ONLY if "dropout" in name], _unchanged),
    **dict.fromkeys(["add", "sub", "rsub", "maximum", "minimum", "where", "lerp"], _combined),
    **dict.fromkeys(["mul", "truediv", "div", "matmul", "mm", "bmm", "einsum"], _multiplied),
    **{name: _normalised(position) for name, position in SCALE_OF_A_NORM.items()},
    **dict.fromkeys(["amax", "amin"], _mean_instead),
    **{f"max_pool{n}d": _pooled(getattr(functional, f"avg_pool{n}d")) for n in (1, 2, 3)},
    **{f"adaptive_max_pool{n}d": _adaptive(getattr(functional, f"adaptive_avg_pool{n}d")) for n in (1, 2, 3)},
    "scaled_dot_product_attention": _attended,
}
