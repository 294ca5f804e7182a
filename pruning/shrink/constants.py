"""Which entries of a network's activations no input can change, and what weights read of them.

One forward pass whose operations are intercepted: beside each activation stands where it depends on the input. What a
weight of zero cuts off does not; a bias alone is a constant; what is not understood depends on all that went in. The
constants' values are those that the pass itself computes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from minima.store.command import BadInput
from minima.zoo.anatomy.callers import Callers
from minima.zoo.anatomy.leaving import leaving
from minima.zoo.anatomy.operations import GEOMETRY, MATRIX_PRODUCTS, OPERANDS, in_order, named, operation_name
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import Inputs, called, leaves
from pruning.shrink.dependence import RULES, Dependence
from pruning.shrink.whole import Whole

EQUAL = 1e-12
"""relative to the value: by so much a constant's positions may differ, in float64, by rounding"""


@dataclass(frozen=True)
class Read:
    """What a weight is applied to in a call."""

    weight: Tensor
    values: Tensor
    axis: int
    """of the columns' entries in the values"""
    given: Mapping[str, Any]
    """geometry of a convolution"""
    bias: Any = None
    """what the operation adds, where it does"""

    @property
    def padded(self) -> bool:
        """Whether zeros are put beside the values."""
        padding = self.given.get("padding") or 0
        return padding not in (0, "valid") and any(tree_leaves(padding))


def read_by(name: str, args: Any, kwargs: Any) -> Read | None:
    """What a call of an operation reads by a weight; None where it is none that does."""
    if name == "linear" or name.startswith("conv"):
        given = named((*OPERANDS, *GEOMETRY), args, kwargs)
        axis = -1 if name == "linear" else -int(name[-2]) - 1 if name[-2:] in ("1d", "2d", "3d") else None
        if axis is not None and "transpose" not in name:
            return Read(given["weight"], given["input"], axis, given, given.get("bias"))
    elif name == "addmm":
        return Read(args[2], args[1], -1, {}, None if kwargs else args[0])
    elif name in MATRIX_PRODUCTS and len(args) == 2 and all(map(torch.is_tensor, args)):
        return Read(args[1], args[0], -1, {})
    return None


@dataclass(frozen=True)
class Reading:
    """What one application of a weight reads."""

    constant: Tensor
    """(columns,) bool: the same at all positions, whatever the input"""
    values: Tensor
    """(columns,) the constants' values"""
    padded: bool
    """whether zeros are put beside it, so that the constant ends at the border"""
    groups: int = 1
    """of a convolution: columns are those of all groups, one after another"""
    bias: str | None = None
    """the parameter that this operation alone adds"""


def readings(model: nn.Module, x: Inputs) -> dict[str, list[Reading]]:
    """For each weight by name what its applications read, in a pass of `model`, in eval mode, over x (N, ...).

    >>> net = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1))
    >>> _ = nn.init.zeros_(net[0].weight[1]), nn.init.constant_(net[0].bias, 3.0)
    >>> (read,) = readings(net, torch.ones(1, 1))["2.weight"]
    >>> read.constant.tolist(), read.values[1].item()
    ([False, True], 3.0)
    """
    constants = _Constants(model)
    with evaluating(model), torch.no_grad():
        for leaf in leaves(x):
            constants.depends[leaf] = torch.ones(leaf.shape, dtype=torch.bool)
        with constants.callers.followed(), Whole(), constants:
            called(model, x)
    for operation, caller in constants.left.items():
        raise BadInput(
            f"{caller or type(model).__name__}: values that depend on the input leave torch there ({operation}), so "
            "that what the network computes may be something else for other inputs, and no unit of it can be removed "
            "for certain. Compute it with tensors of sizes that do not depend on it (torch.where with three arguments)"
        )
    return {
        name: [each if constants.uses[each.bias] == 1 else replace(each, bias=None) for each in own]
        for name, own in constants.found.items()
    }


def agreed(model: nn.Module, sights: Sequence[Inputs]) -> dict[str, list[Reading]]:
    """What `readings` finds, where a constant counts as one only if it is the same for several inputs, of different
    sizes.
    """
    found = readings(model, sights[0])
    for x in sights[1:]:
        if not any(bool(each.constant.any()) for own in found.values() for each in own):
            break
        others = readings(model, x)
        for name, own in found.items():
            other = others.get(name, [])
            alike = [len(each.values) for each in own] == [len(each.values) for each in other]
            found[name] = [_both(*pair) for pair in zip(own, other if alike else [None] * len(own), strict=True)]
    return found


def _both(one: Reading, other: Reading | None) -> Reading:
    if other is None:
        return replace(one, constant=torch.zeros_like(one.constant))
    near = (one.values - other.values).abs() <= EQUAL * one.values.abs().clamp(min=1)
    return replace(one, constant=one.constant & other.constant & near, padded=one.padded or other.padded)


class _Constants(TorchFunctionMode):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.depends = WeakTensorKeyDictionary()
        """tensor -> bool, of its shape: depends on the input"""
        self.weighings = WeakTensorKeyDictionary()
        """activations whose last axis sums to one: shares of attention"""
        self.found: dict[str, list[Reading]] = defaultdict(list)
        self.uses: Counter[str | None] = Counter()
        """of each parameter, operations that make something of it"""
        self.left: dict[str, str] = {}
        """operation -> the module where it took a value that depends on the input out of torch"""
        self._model, self.callers = model, Callers(model)
        self._names = {id(parameter): name for name, parameter in model.named_parameters()}
        for constant in (*model.parameters(), *model.buffers()):
            self.depends[constant] = torch.tensor(False).expand(constant.shape)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        func, args = in_order(func, args)
        kwargs, name = kwargs or {}, operation_name(func)
        self._look(name, args, kwargs)
        call_ = Dependence(self.depends, self.weighings, func, args, kwargs)
        moves = call_.any()
        versions = [(leaf, leaf._version) for leaf in tree_leaves((args, kwargs)) if torch.is_tensor(leaf)]
        result = func(*args, **kwargs)
        made = [leaf for leaf in tree_leaves(args[0] if name == "setitem" else result) if torch.is_tensor(leaf)]
        left = [leaf for leaf in leaving(name, args, kwargs, made) if bool(call_.of(leaf).any())] if moves else []
        if left:
            self._leave(name, left)
        found = self._ruled(name, call_, made) if made and moves and name in RULES else None
        if found is None or [each.shape for each in found] != [leaf.shape for leaf in made]:
            found = [torch.tensor(moves).expand(leaf.shape) for leaf in made]
        for leaf, own in zip(made, found, strict=True):
            self.depends[leaf] = own
        for leaf, version in versions:
            if made and not any(leaf is each for each in made):
                self.uses[self._names.get(id(leaf))] += 1
            if leaf._version != version:
                self._written(leaf, made)
        return result

    @staticmethod
    def _ruled(name: str, call: Dependence, made: list[Tensor]) -> list[Tensor] | None:
        """What the rule of an operation says; nothing where it was called in a way that the rule does not know."""
        try:
            return RULES[name](call, made)
        except (RuntimeError, ValueError, TypeError, IndexError, KeyError, AttributeError):
            return None

    def _leave(self, name: str, values: list[Tensor]) -> None:
        """A value is taken out of torch. In transformers' code ids and masks decide on warnings and shortcuts alone."""
        path = self.callers.now.path
        theirs = type(self._model.get_submodule(path)).__module__.startswith("transformers.")
        if not theirs or any(value.is_floating_point() for value in values):
            self.left.setdefault(name, path)

    def _written(self, tensor: Tensor, made: list[Tensor]) -> None:
        """What was changed in place has changed what shares its memory: of that nothing is known any more."""
        memory = tensor.untyped_storage().data_ptr()
        for other in list(self.depends.keys()):
            known = any(other is leaf for leaf in made)
            if other.untyped_storage().data_ptr() == memory:
                self.weighings.pop(other, None)
                if not known:
                    self.depends[other] = torch.tensor(True).expand(other.shape)

    def _look(self, name: str, args: Any, kwargs: Any) -> None:
        """Record what a weight reads."""
        read = read_by(name, args, kwargs)
        if read is not None:
            self._record(read)
        if name == "multi_head_attention_forward":
            self._attend(args, kwargs)

    def _record(self, found: Read) -> None:
        if id(found.weight) not in self._names:
            return
        read, axis = found.values, found.axis
        rows = read.detach().movedim(axis, 0).reshape(read.shape[axis], -1).double()
        depends = self.depends.get(read, torch.tensor(True).expand(read.shape))
        free = depends.movedim(axis, 0).reshape(len(rows), -1).any(1)
        low, high = rows.amin(1), rows.amax(1)
        constant = ~free & (high - low <= EQUAL * high.abs().clamp(min=1))
        reading = Reading(
            constant, rows[:, 0], found.padded, found.given.get("groups") or 1, self._names.get(id(found.bias))
        )
        self.found[self._names[id(found.weight)]].append(reading)

    def _attend(self, args: Any, kwargs: Any) -> None:
        """The last projection of torch's attention reads shares, that sum to one, of rows of values."""
        packed, bias, out = args[5], args[6], args[11]
        weight = kwargs["v_proj_weight"] if kwargs.get("use_separate_proj_weight") else packed.chunk(3)[2]
        dead = ~(weight != 0).any(1)
        values = torch.zeros(len(dead)) if bias is None else bias.chunk(3)[2].detach()
        if kwargs.get("key_padding_mask") is not None or kwargs.get("attn_mask") is not None or args[9]:
            dead = dead & (values == 0)  # a row that may look at nothing
        if args[7] is not None:
            dead = torch.zeros_like(dead)  # a key and a value beside them
        if id(out) in self._names:
            self.found[self._names[id(out)]].append(
                Reading(dead, values.double(), False, bias=self._names.get(id(args[12])))
            )
