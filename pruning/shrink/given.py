"""What `shrink_network` is given, refused where it cannot be used."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any, get_args

import torch
from torch import Tensor, nn

from minima.store.command import BadInput
from minima.store.messages import brief
from minima.zoo.examples.inputs import Inputs, Several
from minima.zoo.examples.lazy import Lazy
from minima.zoo.examples.outputs import describe

Bounds = tuple[Tensor, Tensor] | tuple[float, float]
"""the lowest and the highest value of each entry of an input, or of all entries"""


def check_inputs(x: Inputs) -> None:
    """Raise a BadInput where these are no inputs of a network."""
    if not isinstance(x, torch.Tensor | Several | Lazy) or not len(x):
        raise BadInput(
            f"x: expected a tensor (N, ...) of inputs, or a tuple or dict of them, found {describe(x)}; at least one "
            "example is needed, to follow the units and to compare outputs"
        )


def check_choice(name: str, value: str, known: Any) -> None:
    """Raise a BadInput where a value is none of those of a type."""
    if value not in get_args(known):
        raise BadInput(f"{name} {value!r}: expected {' or '.join(map(repr, get_args(known)))}")


def checked_bounds(x: Inputs, by_data: bool, within: Bounds | None) -> tuple[Tensor, Tensor] | None:
    """Bounds (1, ...) of each entry of inputs like x (N, ...), of numbers those that hold for all entries.

    Raises:
        BadInput: what is static cannot be sought as asked.
    """
    if within is None:
        return None
    if by_data:
        raise BadInput("--by-data and --within each say when a unit is static: give one of them")
    x = _real(x)
    if not any(isinstance(each, torch.Tensor) for each in within):
        return bounds_of(",".join(map(str, within)), x)
    low, high = within
    for each in (low, high):
        found = tuple(each.shape) if isinstance(each, torch.Tensor) else each
        if found != (1, *x.shape[1:]):
            raise BadInput(f"within: expected two numbers, or bounds of shape {(1, *x.shape[1:])}, found {found}")
    return torch.as_tensor(low), torch.as_tensor(high)


def _real(x: Inputs) -> Tensor:
    if not isinstance(x, torch.Tensor) or not x.is_floating_point():
        raise BadInput("--within: bounds are those of one input of real numbers, and this network takes others")
    return x


def bounds_of(words: str | None, x: Inputs) -> tuple[Tensor, Tensor] | None:
    """Bounds (1, ...) of each entry of inputs like x (N, ...): `LOW,HIGH` of all, or `data` for those of x."""
    if words is None:
        return None
    x = _real(x)
    if words == "data":
        return x.amin(0, keepdim=True), x.amax(0, keepdim=True)
    try:
        low, high = map(float, words.split(","))
    except ValueError as error:
        raise BadInput(f"--within {words}: expected LOW,HIGH, for example 0,1, or data") from error
    _check_bounds(words, low, high, x)
    return torch.full_like(x[:1], low), torch.full_like(x[:1], high)


def _check_bounds(words: str, low: float, high: float, x: Tensor) -> None:
    """Raise a BadInput where these are no bounds, or do not hold the inputs x (N, ...)."""
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise BadInput(f"--within {words}: expected two finite numbers, the lower one first, such as 0,1")
    least, most = x.min().item(), x.max().item()
    if least < low or most > high:
        raise BadInput(
            f"--within {words}: the examples' entries as the network takes them, after --mean and --std, lie in "
            f"[{least:.9g}, {most:.9g}].\nType bounds that hold them, or --within data"
        )


def check_masks(model: nn.Module, masks: Mapping[str, Tensor]) -> None:
    """Raise a BadInput where masks are of other parameters or shapes than the network's."""
    parameters = dict(model.named_parameters())
    for name, mask in masks.items():
        if name not in parameters:
            raise BadInput(f"masks: the network has no parameter {name}. It has {', '.join(list(parameters)[:4])}, ...")
        if mask.shape != parameters[name].shape:
            raise BadInput(
                f"masks: {name} has shape {tuple(parameters[name].shape)}, its mask {tuple(mask.shape)}; expected one "
                "entry for each weight"
            )


def in_float64(model: nn.Module) -> nn.Module:
    """A copy of a network in float64, in eval mode. Raises a BadInput where it cannot be copied."""
    try:
        return copy.deepcopy(model).double().eval().requires_grad_(False)
    except Exception as error:
        raise BadInput(
            f"the network cannot be copied: {brief(error)}\nShrink it as it was built, before any pass, and without "
            "torch.jit, torch.nn.utils.weight_norm, spectral_norm or prune (which remove_weight_norm, ... end)"
        ) from error
