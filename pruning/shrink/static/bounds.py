"""What of a network cannot change while its inputs stay within bounds, proven by interval arithmetic in float64.

Beside each activation stand a lower and an upper bound of every entry. What an operation that is not understood makes
has none. Bounds are wider than what can happen, so that units may be static which this does not find.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from minima.store.command import BadInput
from minima.zoo.anatomy.operations import (
    CONVOLUTIONS,
    OPERANDS,
    POOLS,
    REDUCTIONS,
    SHAPE_ONLY,
    in_order,
    is_activation,
    named,
    operation_name,
)
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import called
from pruning.shrink.constants import read_by
from pruning.shrink.static.examples import Seeing, Static
from pruning.shrink.whole import Whole

RISING = frozenset(
    ("relu", "relu6", "leaky_relu", "selu", "hardtanh", "tanh", "sigmoid", "hardsigmoid", "softplus", "softsign")
)
"""activations whose value never falls"""
MOVING = (SHAPE_ONLY | POOLS | REDUCTIONS | {"pad"}) - {"get"}
"""operations whose result rises with each entry of their input"""
WEIGHTED = CONVOLUTIONS | {"linear"}
WIDER = 1e-12
"""relative to the largest sum of absolute values: what rounding may have taken from a bound"""


@dataclass(frozen=True)
class Bounds:
    """Lower and upper bounds of every entry of an activation."""

    low: Tensor
    high: Tensor

    def __post_init__(self) -> None:
        self.low.nan_to_num_(nan=-torch.inf, posinf=torch.inf, neginf=-torch.inf)
        self.high.nan_to_num_(nan=torch.inf, posinf=torch.inf, neginf=-torch.inf)


def within(model: nn.Module, low: Tensor, high: Tensor) -> Static:
    """What does not change for any input x (1, ...) with low <= x <= high, in eval mode; `model` in float64.

    A rectifier over weights (1, 1) and a bias of -3 is always off within [0, 1]^2:

    >>> net = nn.Sequential(nn.Linear(2, 1), nn.ReLU(), nn.Linear(1, 1)).double()
    >>> _ = nn.init.ones_(net[0].weight), nn.init.constant_(net[0].bias, -3.0)
    >>> box = torch.zeros(1, 2, dtype=torch.float64), torch.ones(1, 2, dtype=torch.float64)
    >>> within(net, *box).zeros["2.weight"][0].constant
    tensor([True])

    Raises:
        BadInput: a lower bound lies above the upper one.
    """
    if bool((low > high).any()):
        raise BadInput("a lower bound of an input lies above its upper bound")
    bounding = _Bounding(model)
    x = (low + high) / 2
    bounding.bounds[x] = Bounds(low.clone(), high.clone())
    with evaluating(model), torch.no_grad(), bounding.callers.followed(), Whole(), bounding:
        called(model, x)
    return bounding.found()


class _Bounding(Seeing):
    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.bounds = WeakTensorKeyDictionary()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        func, args = in_order(func, args)
        kwargs, name = kwargs or {}, operation_name(func)
        self._look(name, args, kwargs)
        free = [leaf for leaf in tree_leaves((args, kwargs)) if torch.is_tensor(leaf) and leaf in self.bounds]
        found = self._bounded(name, func, args, kwargs) if free else None
        versions = [(leaf, leaf._version) for leaf in tree_leaves((args, kwargs)) if torch.is_tensor(leaf)]
        result = func(*args, **kwargs)
        made = [leaf for leaf in tree_leaves(args[0] if name == "setitem" else result) if torch.is_tensor(leaf)]
        if not free:
            return result
        for place, leaf in enumerate(made):
            own = found[place] if found is not None and len(found) == len(made) else None
            fits = own is not None and own.low.shape == leaf.shape
            self.bounds[leaf] = own if fits else _unbounded(leaf)
        for leaf, version in versions:
            if leaf._version != version:
                self._forget(leaf, made)
        return result

    def _look(self, name: str, args: Any, kwargs: Any) -> None:
        read = read_by(name, args, kwargs)
        if read is None or not read.values.ndim:
            return
        known = self.bounds.get(read.values)
        low, high = (read.values, read.values) if known is None else (known.low, known.high)
        zero = ((low == 0) & (high == 0)).movedim(read.axis, 0)
        self.record(read, zero.reshape(len(zero), -1).all(1))

    def _bounded(self, name: str, func: Any, args: Any, kwargs: Any) -> list[Bounds] | None:
        try:
            if is_activation(name, args, kwargs):
                return self._activated(name, func, args, kwargs)
            rule = _RULES.get(name)
            return None if rule is None else rule(self, func, args, kwargs)
        except (RuntimeError, ValueError, TypeError, IndexError, KeyError, AttributeError):
            return None

    def _activated(self, name: str, func: Any, args: Any, kwargs: Any) -> list[Bounds] | None:
        given = self.of(args[0] if args else kwargs["input"])
        if name not in RISING and name not in ("clamp", "clamp_min", "clip"):
            self.rectified(torch.zeros_like(given.low[0], dtype=torch.bool))
            return None
        args = args[1:] if args else ()
        kwargs = {key: value for key, value in kwargs.items() if key != "input"}
        slope = kwargs.get("negative_slope", args[0] if args else 0.01)
        if name == "leaky_relu" and slope < 0:
            self.rectified(torch.zeros_like(given.low[0], dtype=torch.bool))
            return None
        low, high = func(given.low.clone(), *args, **kwargs), func(given.high.clone(), *args, **kwargs)
        bounded = given.low.isfinite() & given.high.isfinite()
        self.rectified((bounded & (low == given.low) & (high == given.high)).all(0))
        return [Bounds(low, high)]

    def of(self, value: Any) -> Bounds:
        """A constant is its own bounds."""
        found = self.bounds.get(value) if torch.is_tensor(value) else None
        constant = torch.as_tensor(value, dtype=torch.float64)
        return Bounds(constant.clone(), constant.clone()) if found is None else found

    def _forget(self, changed: Tensor, made: list[Tensor]) -> None:
        """It was changed in place: of others that share its memory nothing is known any more."""
        memory = changed.untyped_storage().data_ptr()
        for other in list(self.bounds.keys()):
            if not any(other is leaf for leaf in made) and other.untyped_storage().data_ptr() == memory:
                self.bounds[other] = _unbounded(other)


def _unbounded(tensor: Tensor) -> Bounds:
    none = torch.full(tensor.shape, torch.inf, dtype=torch.float64)
    return Bounds(-none, none)


def _weighted(self: _Bounding, func: Any, args: Any, kwargs: Any) -> list[Bounds] | None:
    given = named(OPERANDS, args[:3], kwargs)
    others = {key: value for key, value in given.items() if key not in OPERANDS}
    weight, bias = given["weight"], given.get("bias")
    if weight in self.bounds or (torch.is_tensor(bias) and bias in self.bounds):
        return None
    own = self.of(given["input"])
    middle, reach = (own.low + own.high) / 2, (own.high - own.low) / 2
    middle, reach = middle.nan_to_num(), torch.where(middle.isfinite(), reach, torch.inf)
    centre = func(middle, weight, bias, *args[3:], **others)
    sizes = [func(each, weight.abs(), None, *args[3:], **others) for each in (reach, middle.abs())]
    return [_around(centre, sizes[0], sizes[1])]


def _around(centre: Tensor, reach: Tensor, size: Tensor) -> Bounds:
    reach = reach.nan_to_num(nan=torch.inf) + WIDER * (size + reach.nan_to_num(nan=torch.inf) + centre.abs())
    return Bounds(centre - reach, centre + reach)


def _normed(self: _Bounding, func: Any, args: Any, kwargs: Any) -> list[Bounds] | None:
    names = ("input", "running_mean", "running_var", "weight", "bias", "training")
    given = named(names, args, kwargs)
    if given.get("running_mean") is None or given.get("training"):
        return None
    own = self.of(given["input"])
    first, second = (
        func(each, *args[1:], **{key: value for key, value in kwargs.items() if key != "input"})
        for each in (own.low, own.high)
    )
    size = WIDER * (first.abs() + second.abs() + given["running_mean"].abs().max())
    return [Bounds(torch.minimum(first, second) - size, torch.maximum(first, second) + size)]


def _moved(self: _Bounding, func: Any, args: Any, kwargs: Any) -> list[Bounds] | None:
    own = self.of(args[0])
    if any(torch.is_tensor(leaf) and leaf in self.bounds for leaf in tree_leaves((args[1:], kwargs))):
        return None
    low, high = (func(each, *args[1:], **kwargs) for each in (own.low, own.high))
    pairs = list(zip(*(each if isinstance(each, tuple | list) else (each,) for each in (low, high)), strict=True))
    if not all(one.is_floating_point() for one, _ in pairs):
        return None
    return [Bounds(one.clone(), two.clone()) for one, two in pairs]


def _added(self: _Bounding, _func: Any, args: Any, kwargs: Any) -> list[Bounds] | None:
    if kwargs or len(args) != 2:
        return None
    one, two = map(self.of, args)
    return [Bounds(one.low + two.low, one.high + two.high)]


def _subtracted(self: _Bounding, _func: Any, args: Any, kwargs: Any) -> list[Bounds] | None:
    if kwargs or len(args) != 2:
        return None
    one, two = map(self.of, args)
    return [Bounds(one.low - two.high, one.high - two.low)]


def _multiplied(self: _Bounding, _func: Any, args: Any, _kwargs: Any) -> list[Bounds] | None:
    one, two = map(self.of, args[:2])
    ends = [first * second for first in (one.low, one.high) for second in (two.low, two.high)]
    corners = torch.stack(torch.broadcast_tensors(*ends))
    lost = corners.isnan().any(0)
    return [Bounds(corners.amin(0).masked_fill(lost, -torch.inf), corners.amax(0).masked_fill(lost, torch.inf))]


def _joined(self: _Bounding, func: Any, args: Any, kwargs: Any) -> list[Bounds] | None:
    parts = [self.of(part) for part in args[0]]
    low, high = (func([getattr(part, end) for part in parts], *args[1:], **kwargs) for end in ("low", "high"))
    return [Bounds(low, high)]


Rule = Callable[[_Bounding, Any, Any, Any], "list[Bounds] | None"]
_RULES: Mapping[str, Rule] = {
    **dict.fromkeys(MOVING, _moved),
    **dict.fromkeys(WEIGHTED, _weighted),
    **dict.fromkeys(("cat", "concat", "concatenate"), _joined),
    "batch_norm": _normed,
    "add": _added,
    "sub": _subtracted,
    "mul": _multiplied,
}
