"""Two linear layers, or convolutions, with nothing between them made one that computes the same."""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor, nn

CONVOLUTIONS = frozenset(("Conv1d", "Conv2d", "Conv3d"))


def merge(model: nn.Module, first: str, second: str) -> str:
    """Let `first` compute what `second` makes of it, in place, and `second` hand on what it is given.

    With y = A x + a and z = B y + b it is z = (B A) x + (B a + b). For convolutions B must put no zeros beside its
    input, since these are not A's values of anything; kernels of k_A and k_B entries become one of
    (k_B - 1) s_A + k_A, its stride s_A s_B, its padding A's.

    Returns:
        why it cannot be done, in words; empty where it was.
    """
    one, two = model.get_submodule(first), model.get_submodule(second)
    why = obstacle(one, two, first, second)
    if why:
        return why
    weight, bias = _product(one, two)
    _set(one, two, weight, bias)
    parent, _, last = second.rpartition(".")
    setattr(model.get_submodule(parent), last, nn.Identity())
    return ""


def obstacle(one: nn.Module, two: nn.Module, first: str, second: str) -> str:
    """Why two layers cannot be one, in words; empty where they can."""
    kinds = type(one).__name__, type(two).__name__
    for layer, name in ((one, first), (two, second)):
        if not _plain(layer):
            return f"{name} is no linear layer or convolution of torch with a weight of its own"
    if kinds[0] != kinds[1]:
        return f"{first} is a {kinds[0]} and {second} a {kinds[1]}"
    if isinstance(one, nn.Linear) and isinstance(two, nn.Linear):
        return _apart(one.out_features, two.in_features, first, second)
    assert isinstance(one, nn.modules.conv._ConvNd)
    assert isinstance(two, nn.modules.conv._ConvNd)
    return _between(one, two, first, second) or _apart(one.out_channels, two.in_channels, first, second)


def _plain(layer: nn.Module) -> bool:
    kind = type(layer)
    known = kind is nn.Linear or (kind.__name__ in CONVOLUTIONS and kind.__module__.startswith("torch."))
    return known and set(layer._parameters) == {"weight", "bias"}


def _between(one: nn.modules.conv._ConvNd, two: nn.modules.conv._ConvNd, first: str, second: str) -> str:
    padded = two.padding != "valid" if isinstance(two.padding, str) else any(map(int, two.padding))
    if padded:
        return f"{second} puts zeros beside its input: at the border it reads what {first} does not make"
    if isinstance(one.padding, str) or one.padding_mode != "zeros":
        return f"{first} pads its input in another way than by so many zeros"
    for layer, name in ((one, first), (two, second)):
        if layer.groups != 1 or any(step != 1 for step in layer.dilation):
            return f"{name} is a convolution in groups, or dilated"
    return ""


def _apart(made: int, read: int, first: str, second: str) -> str:
    return "" if made == read else f"{second} reads {read} values, and {first} makes {made}"


def _product(one: nn.Module, two: nn.Module) -> tuple[Tensor, Tensor | None]:
    weight, bias = one._parameters["weight"], one._parameters["bias"]
    later, shift = two._parameters["weight"], two._parameters["bias"]
    assert weight is not None
    assert later is not None
    with torch.no_grad():
        both = later @ weight if isinstance(one, nn.Linear) else _kernel(weight, later, one)
        summed = later.flatten(2).sum(2) if later.ndim > 2 else later
        moved = None if bias is None else summed @ bias
    total = shift if moved is None else moved if shift is None else moved + shift
    return both, None if total is None else total.detach().clone()


def _kernel(weight: Tensor, later: Tensor, one: nn.Module) -> Tensor:
    """(out, in, ...) c[t] = sum over j s + k = t of b[j] a[k]."""
    assert isinstance(one, nn.modules.conv._ConvNd)
    strides = one.stride
    sizes = [
        (after - 1) * stride + before
        for after, before, stride in zip(later.shape[2:], weight.shape[2:], strides, strict=True)
    ]
    found = weight.new_zeros((later.shape[0], weight.shape[1], *sizes))
    for offset, place in enumerate(product(*map(range, later.shape[2:]))):
        at = tuple(
            slice(step * stride, step * stride + size)
            for step, stride, size in zip(place, strides, weight.shape[2:], strict=True)
        )
        part = found[(slice(None), slice(None), *at)]
        part += torch.tensordot(later.flatten(2)[:, :, offset], weight, 1)
    return found


def _set(one: nn.Module, two: nn.Module, weight: Tensor, bias: Tensor | None) -> None:
    one.weight = nn.Parameter(weight, one.get_parameter("weight").requires_grad)
    one._parameters["bias"] = None if bias is None else nn.Parameter(bias, one.weight.requires_grad)
    if isinstance(one, nn.Linear):
        one.out_features = len(weight)
        return
    assert isinstance(one, nn.modules.conv._ConvNd)
    assert isinstance(two, nn.modules.conv._ConvNd)
    one.out_channels, one.kernel_size = len(weight), tuple(weight.shape[2:])
    one.stride = tuple(step * later for step, later in zip(one.stride, two.stride, strict=True))
