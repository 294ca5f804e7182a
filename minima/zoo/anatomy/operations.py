"""What the operations of torch mean to a tracker of neurons, by name.

By name because one operation comes as function, method, in-place method and operator (`torch.relu`, `F.relu`,
`Tensor.relu_`), which are different objects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ACTIVATIONS = _names(
    """relu relu6 leaky_relu prelu rrelu elu selu celu threshold hardtanh softplus gelu silu mish hardswish tanh
    sigmoid special_expit hardsigmoid logsigmoid log_sigmoid softsign tanhshrink hardshrink softshrink"""
)
"""elementwise nonlinearities: the input of one is a post-synaptic potential"""

CLAMPS = frozenset({"clamp", "clamp_min", "clip"})

SOFTMAXES = frozenset({"softmax", "log_softmax", "softmin"})

POOLS = [f"{kind}_pool{n}d" for kind in ("max", "avg", "adaptive_avg", "adaptive_max") for n in (1, 2, 3)]

CONVOLUTIONS = _names("conv1d conv2d conv3d")
LAYERS = CONVOLUTIONS | _names("linear addmm conv_transpose1d conv_transpose2d conv_transpose3d")
"""a weight applied to an activation"""

OPERANDS = ("input", "weight", "bias")
"""of a linear layer and a convolution, in order"""
GEOMETRY = ("stride", "padding", "dilation", "groups")
"""what a convolution is given behind them"""

SHAPE_ONLY = _names(
    """view view_as reshape reshape_as flatten unflatten squeeze unsqueeze permute transpose swapaxes movedim t get
    contiguous clone detach to type float double expand getitem narrow select chunk split tensor_split unbind
    dropout dropout1d dropout2d dropout3d alpha_dropout feature_dropout feature_alpha_dropout overwritten"""
)
"""operations that only move neurons about (`get` is a property such as `.T`; dropout is off in eval mode; `overwritten`
is the tape's own: a tensor after another that shares its memory was written to)"""

LEAVING = _names("item tolist numpy bool float int index complex array equal allclose is_nonzero contains dlpack")
"""operations that make a value of Python of a tensor, where they return none"""

CHANNELS_SECOND = _names(
    """conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d batch_norm group_norm
    instance_norm"""
)
CHANNELS_LAST = _names("linear matmul addmm layer_norm rms_norm embedding multi_head_attention_forward")

_SPELLINGS = {f"{prefix}{name}": name for prefix in "ir" for name in ("add", "sub", "mul", "truediv", "matmul")}


def operation_name(function: Any) -> str:
    """The plain name of an operation, whichever way it was called.

    >>> import torch
    >>> [operation_name(f) for f in (torch.nn.functional.relu, torch.Tensor.relu_, torch.Tensor.__iadd__)]
    ['relu', 'relu', 'add']
    """
    name = getattr(function, "__name__", "").strip("_")
    return _SPELLINGS.get(name, name)


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


def channel_axis(name: str, before: int) -> int:
    """The axis of the channels after an operation, given where it was before: 1 as in NCHW, or -1 as in tokens."""
    if name in CHANNELS_SECOND:
        return 1
    return -1 if name in CHANNELS_LAST else before
