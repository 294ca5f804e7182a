"""The one table of torch's operations: what each is to those who read a pass, by name.

By name because one operation comes as function, method, in-place method and operator (`torch.relu`, `F.relu`,
`Tensor.relu_`), which are different objects. A reader that has nothing to say of an operation takes it for unknown.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


CONVOLUTIONS = _names("conv1d conv2d conv3d")
TRANSPOSED = _names("conv_transpose1d conv_transpose2d conv_transpose3d")
LAYERS = CONVOLUTIONS | TRANSPOSED | _names("linear addmm")
"""a weight applied to an activation"""
RECURRENT = _names("lstm gru rnn_tanh rnn_relu lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell")
"""whole layers of torch's in one operation"""
OPERANDS = ("input", "weight", "bias")
"""of a linear layer and a convolution, in order"""
GEOMETRY = ("stride", "padding", "dilation", "groups")
"""what a convolution is given behind them"""

ACTIVATIONS = _names(
    """relu relu6 leaky_relu prelu rrelu elu selu celu threshold hardtanh softplus gelu silu mish hardswish tanh
    sigmoid special_expit hardsigmoid logsigmoid log_sigmoid softsign tanhshrink hardshrink softshrink"""
)
"""elementwise nonlinearities: the input of one is a post-synaptic potential"""
CLAMPS = _names("clamp clamp_min clip")
"""activations where they are a ReLU"""
SLOPED = _names("leaky_relu prelu rrelu")
"""linear below zero as well: what they make of a negative channel is a multiple of it"""
POSITIVELY_HOMOGENEOUS = _names("relu") | SLOPED | CLAMPS
"""phi(a z) = a phi(z) for a > 0; a clamp only where it is a ReLU"""
SOFTMAXES = _names("softmax log_softmax softmin")

POINTWISE = _names("neg abs absolute exp log log1p sqrt rsqrt square pow erf sin cos reciprocal nan_to_num")
"""other functions of one operand, entry by entry"""
SUMS = _names("add sub rsub")
PRODUCTS = _names("mul truediv div")
EXTREMES = _names("maximum minimum")
"""two operands, entry by entry"""

MATRIX_PRODUCTS = _names("matmul mm bmm")
NORMS = {"batch_norm": 3, "instance_norm": 3, "layer_norm": 2, "group_norm": 2, "rms_norm": 2}
"""with the place of their scale among the arguments"""
AVERAGE_POOLS = frozenset(f"{kind}_pool{n}d" for kind in ("avg", "adaptive_avg") for n in (1, 2, 3))
POOLS = AVERAGE_POOLS | frozenset(f"{kind}_pool{n}d" for kind in ("max", "adaptive_max") for n in (1, 2, 3))
REDUCTIONS = _names("mean sum amax amin")
JOINS = _names("cat concat concatenate")
"""operands side by side"""

CONVERSIONS = _names("to type type_as float double half bfloat16")
DROPOUTS = _names(
    "dropout dropout1d dropout2d dropout3d alpha_dropout feature_dropout feature_alpha_dropout",
)
"""off in eval mode"""
SAME = _names("contiguous clone detach overwritten")
"""`overwritten` is the tape's own: a tensor after another that shares its memory was written to"""
MOVES = SAME | _names(
    """view view_as reshape reshape_as flatten unflatten squeeze unsqueeze permute transpose swapaxes movedim t get
    expand getitem narrow select chunk split tensor_split unbind"""
)
"""each entry of the result is one of the first operand (`get` is a property such as `.T`)"""
REPEATS = _names("repeat repeat_interleave broadcast_to expand_as tile")
"""these move entries to several places"""
SHAPE_ONLY = MOVES | CONVERSIONS | DROPOUTS
"""operations that only move neurons about"""
BLENDS = _names(
    """stack hstack vstack roll flip repeat tile interpolate unfold fold pixel_shuffle pixel_unshuffle channel_shuffle
    index_select gather masked_fill tril triu broadcast_to"""
)
"""these move, copy or blend entries: linear, with coefficients that are not negative"""

NEW = _names("zeros_like ones_like full_like empty_like rand_like new_zeros new_ones new_full")
"""of an operand's shape only"""
LEAVING = _names("item tolist numpy bool float int index complex array equal allclose is_nonzero contains dlpack")
"""operations that make a value of Python of a tensor, where they return none"""
COUNTED = _names("nonzero argwhere unique unique_consecutive bincount")
"""of as many entries as the values of their operand say"""
FACTORIES = _names("arange zeros ones empty eye rand randn")
"""of a size that they are given"""
SIZED = _names(
    """new_zeros new_ones new_empty narrow expand repeat tile broadcast_to view reshape unflatten split chunk
    tensor_split topk interpolate"""
)
"""of a size that stands behind their first operand"""

CHANNELS_SECOND = CONVOLUTIONS | TRANSPOSED | _names("batch_norm group_norm instance_norm")
CHANNELS_LAST = _names("linear matmul addmm layer_norm rms_norm embedding multi_head_attention_forward")
CHANNELS_LAST |= RECURRENT

_SPELLINGS = {f"i{name}": name for name in ("add", "sub", "mul", "truediv", "matmul")}
_REFLECTED: Mapping[str, Callable[[Any, Any], Any]] = {
    "__rsub__": operator.sub,
    "__rdiv__": operator.truediv,
    "__rtruediv__": operator.truediv,
    "__rmatmul__": operator.matmul,
    "__rpow__": operator.pow,
}
"""operators that torch calls with their second operand first"""


def in_order(function: Any, args: Sequence[Any]) -> tuple[Any, tuple[Any, ...]]:
    """An operation and its operands in the order in which they are written: `1 - x` reaches torch as x.__rsub__(1).

    >>> import torch
    >>> in_order(torch.Tensor.__rsub__, ["x", 1]), in_order(torch.rsub, ["x", 1])[1]
    ((<built-in function sub>, (1, 'x')), ('x', 1))
    """
    written = _REFLECTED.get(getattr(function, "__name__", ""))
    return (function, tuple(args)) if written is None or len(args) != 2 else (written, (args[1], args[0]))


def operation_name(function: Any) -> str:
    """The plain name of an operation, whichever way it was called.

    >>> import torch
    >>> [operation_name(f) for f in (torch.nn.functional.relu, torch.Tensor.relu_, torch.Tensor.__iadd__)]
    ['relu', 'relu', 'add']
    """
    name = getattr(function, "__name__", "").strip("_")
    return _SPELLINGS.get(name, name)


def writes(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Whether a call writes its result into its first operand (`relu_`, `+=`, `inplace=True`).

    >>> import torch
    >>> [writes(f, [0, 0], {}) for f in (torch.Tensor.add, torch.Tensor.add_, torch.Tensor.__iadd__)]
    [False, True, True]
    """
    name = getattr(function, "__name__", "")
    if name.endswith("_") and not name.endswith("__"):
        return True
    if name.startswith("__i") and name.strip("_") in _SPELLINGS:
        return True
    code = getattr(function, "__code__", None)
    names = code.co_varnames[: code.co_argcount] if code else ()
    return named(names, args, kwargs).get("inplace") is True


def named(names: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """A call's arguments by name, those of them that were given.

    >>> named(OPERANDS, ["x", "w"], {"stride": 2})
    {'input': 'x', 'weight': 'w', 'stride': 2}
    """
    return dict(zip(names, args, strict=False)) | dict(kwargs)


def is_activation(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
    """Whether a call is an elementwise activation; a clamp from below at zero is a ReLU.

    >>> is_activation("relu", [0], {}), is_activation("clamp", [0], {"min": 0}), is_activation("clamp", [0, -1, 1], {})
    (True, True, False)
    """
    if name not in CLAMPS:
        return name in ACTIVATIONS
    lower = args[1] if len(args) > 1 else kwargs.get("min")
    return isinstance(lower, int | float) and lower == 0
