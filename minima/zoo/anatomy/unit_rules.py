"""What each operation says of units: whose entries its result has, and which of its inputs' entries are one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad
from torch.utils.weak import WeakTensorKeyDictionary

from minima.zoo.anatomy.operations import ACTIVATIONS, CLAMPS, GEOMETRY, OPERANDS, POOLS, SHAPE_ONLY, named
from minima.zoo.anatomy.union_find import FIXED, NOTHING, Classes

CONVOLUTIONS = ("conv1d", "conv2d", "conv3d")
CONVERSIONS = frozenset({"to", "type", "float", "double", *(name for name in SHAPE_ONLY if "dropout" in name)})
"""what would turn numbers of classes into numbers of another type"""
ELEMENTWISE = (ACTIVATIONS - {"prelu"}) | CLAMPS | CONVERSIONS | {"neg", "abs", "exp", "sqrt", "square"}

Numbers = list[Tensor]
"""for each tensor that an operation made, the numbers of its entries' classes"""


@dataclass(frozen=True)
class Follower:
    """One call of an operation. Each rule returns the numbers of what was made, or None: not understood."""

    classes: Classes
    numbers: WeakTensorKeyDictionary
    axes: Mapping[int, list[Tensor]]
    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    made: list[Tensor]

    def linear(self) -> Numbers | None:
        """Units in along the last axis, the weight's rows out."""
        given = self._given(*OPERANDS)
        return self._weighted(given, axis=-1)

    def convolution(self) -> Numbers | None:
        """Channels in, the weight's first axis out; of a depthwise one both are the same. No other groups."""
        given = self._given(*OPERANDS, *GEOMETRY)
        groups, weight = given["groups"] or 1, given["weight"]
        if groups == 1:
            return self._weighted(given, axis=1)
        return self._depthwise(given) if groups == len(weight) == given["input"].shape[1] else None

    def batch_norm(self) -> Numbers | None:
        """Statistics, scale and shift go with their channel."""
        given = self._given("input", "running_mean", "running_var", "weight", "bias")
        return self._per_unit(given, axis=1)

    def layer_norm(self) -> Numbers | None:
        """Over the last axis, in which any order has the same mean and variance."""
        given = self._given("input", "normalized_shape", "weight", "bias")
        return self._per_unit(given, axis=-1) if len(given.pop("normalized_shape")) == 1 else None

    def elementwise(self) -> Numbers | None:
        """An entry remains the unit's that it was."""
        own = self._of(self.args[0])
        return None if own is None else [own]

    def combined(self) -> Numbers | None:
        """Two operands entry by entry: they are the same unit. A parameter follows the axes of what it meets."""
        shape, own = self.made[0].shape, torch.tensor(NOTHING)
        operands = self._given("input", "other").values()
        for operand in operands:
            if torch.is_tensor(operand) and operand.ndim and id(operand) not in self.axes:
                known = self._of(operand)
                other = (torch.full(operand.shape, FIXED) if known is None else known).expand(shape)
                self.classes.join(own.expand(shape), other)
                own = torch.where(own.expand(shape) == NOTHING, other, own.expand(shape))
        fits = [self._follow(operand, own.expand(shape)) for operand in operands if id(operand) in self.axes]
        return [own.expand(shape)] if all(fits) and own.ndim else None

    def moved(self) -> Numbers | None:
        """An operation that only moves entries about moves their numbers."""
        own = self._of(self.args[0])
        if own is None:
            return None
        moved = self.func(own.clone(), *self.args[1:], **self.kwargs)
        return [moved] if torch.is_tensor(moved) else list(moved)

    def pooled(self) -> Numbers | None:
        """Channels stay."""
        own = self._of(self.args[0])
        units = None if own is None else self.classes.along(own, 1)
        return None if units is None else self._spread(units, 1)

    def reduced(self) -> Numbers | None:
        """A mean or sum over axes along which all entries are of one unit."""
        own, dims = self._of(self.args[0]), self._given("input", "dim")["dim"]
        if own is None or dims is None:
            return None
        keep = self._given("input", "dim", "keepdim")["keepdim"] or False
        classes = self.classes.of(own)
        highest = classes.amax(dims, keepdim=True)
        alike = bool(((classes == highest) | (classes == NOTHING)).all())
        return [classes.amax(dims, keepdim=keep)] if alike else None

    def padded(self) -> Numbers | None:
        """With zeros, which are no units."""
        given = self._given("input", "pad", "mode", "value")
        own = self._of(given["input"])
        if own is None or given["mode"] not in (None, "constant") or given["value"]:
            return None
        return [pad(own, given["pad"], value=NOTHING)]

    def joined(self) -> Numbers | None:
        """Put side by side."""
        parts = [self._of(part) for part in self.args[0]]
        known = [part for part in parts if part is not None]
        return [self.func(known, *self.args[1:], **self.kwargs)] if len(known) == len(parts) else None

    def _weighted(self, given: dict[str, Any], axis: int) -> Numbers | None:
        """A weight (out, in, ...) with or without a bias (out,) applied to the units along an axis of the input."""
        units = self._units(given["input"], axis)
        weight, bias = (self.axes.get(id(given[name])) for name in ("weight", "bias"))
        if weight is None or (bias is None) != (given["bias"] is None) or not self._one(units, weight[1]):
            return None
        return self._out(weight, bias, axis)

    def _depthwise(self, given: dict[str, Any]) -> Numbers | None:
        units = self._units(given["input"], 1)
        weight, bias = (self.axes.get(id(given[name])) for name in ("weight", "bias"))
        if weight is None or (bias is None) != (given["bias"] is None) or not self._one(units, weight[0]):
            return None
        self.classes.fix(weight[1], FIXED)
        return self._out(weight, bias, 1)

    def _out(self, weight: list[Tensor], bias: list[Tensor] | None, axis: int) -> Numbers | None:
        for kernel in weight[2:]:
            self.classes.fix(kernel, FIXED)
        if bias is not None:
            self.classes.join(weight[0], bias[0])
        return self._spread(weight[0], axis)

    def _per_unit(self, given: dict[str, Any], axis: int) -> Numbers | None:
        """Each of the tensors given beside the input has an entry for each unit along an axis."""
        own, units = self._of(given["input"]), self._units(given["input"], axis)
        axes = [self.axes.get(id(tensor)) for name, tensor in given.items() if name != "input" and tensor is not None]
        tensors = [each for each in axes if each is not None]
        if own is None or len(tensors) < len(axes):
            return None
        return [own] if all(self._one(units, entries) for (entries,) in tensors) else None

    def _one(self, units: Tensor | None, entries: Tensor) -> bool:
        """Make units and the entries along an axis of a parameter one; whether that can be."""
        if units is None or len(units) != len(entries):
            return False
        self.classes.join(units, entries)
        return True

    def _follow(self, parameter: Tensor, own: Tensor) -> bool:
        """Each axis of a parameter is that of what it meets there; whether that can be said."""
        for back, entries in enumerate(reversed(self.axes[id(parameter)]), start=1):
            if len(entries) == 1:
                continue
            classes = self.classes.of(own)
            if bool((classes == classes.narrow(-back, 0, 1)).all()):
                self.classes.fix(entries, FIXED)
                continue
            if not self._one(self.classes.along(own, -back), entries):
                return False
        return True

    def _units(self, tensor: Tensor, axis: int) -> Tensor | None:
        own = self._of(tensor)
        return None if own is None else self.classes.along(own, axis)

    def _spread(self, units: Tensor, axis: int) -> Numbers | None:
        """Numbers (n,) along an axis of what was made, if it has as many."""
        shape = self.made[0].shape
        if shape[axis] != len(units):
            return None
        along = [1] * len(shape)
        along[axis] = len(units)
        return [units.view(along).expand(shape)]

    def _of(self, tensor: Any) -> Tensor | None:
        return self.numbers.get(tensor) if torch.is_tensor(tensor) else None

    def _given(self, *names: str) -> dict[str, Any]:
        """Arguments by these names, None where there are none."""
        given = named(names, self.args, self.kwargs)
        return {name: given.get(name) for name in names}


RULES: dict[str, Callable[[Follower], Numbers | None]] = {
    "linear": Follower.linear,
    "batch_norm": Follower.batch_norm,
    "layer_norm": Follower.layer_norm,
    "pad": Follower.padded,
    **dict.fromkeys(CONVOLUTIONS, Follower.convolution),
    **dict.fromkeys(SHAPE_ONLY - CONVERSIONS, Follower.moved),
    **dict.fromkeys(ELEMENTWISE, Follower.elementwise),
    **dict.fromkeys(POOLS, Follower.pooled),
    **dict.fromkeys(("add", "sub", "mul", "truediv", "div"), Follower.combined),
    **dict.fromkeys(("mean", "sum", "amax", "amin"), Follower.reduced),
    **dict.fromkeys(("cat", "concat", "concatenate"), Follower.joined),
}
"""by operation"""
