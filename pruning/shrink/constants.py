"""Which entries of a network's activations no input can change, and what weights read of them.

One forward pass whose operations are intercepted: beside each activation stands where it depends on the input. What a
weight of zero cuts off does not; a bias alone is a constant; what is not understood depends on all that went in. The
constants' values are those that the pass itself computes.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from minima.zoo.anatomy.operations import GEOMETRY, OPERANDS, named, operation_name
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import Inputs, call, leaves
from pruning.shrink.dependence import RULES, Dependence
from pruning.shrink.whole import Whole

EQUAL = 1e-12
"""relative to the value: by so much a constant's positions may differ, in float64, by rounding"""
PRODUCTS = ("matmul", "mm", "bmm")


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
        with Whole(), constants:
            call(model, x)
    return dict(constants.found)


class _Constants(TorchFunctionMode):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.depends = WeakTensorKeyDictionary()
        """tensor -> bool, of its shape: depends on the input"""
        self.weighings = WeakTensorKeyDictionary()
        """activations whose last axis sums to one: shares of attention"""
        self.found: dict[str, list[Reading]] = defaultdict(list)
        self._names = {id(parameter): name for name, parameter in model.named_parameters()}
        for constant in (*model.parameters(), *model.buffers()):
            self.depends[constant] = torch.tensor(False).expand(constant.shape)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = kwargs or {}, operation_name(func)
        self._look(name, args, kwargs)
        call_ = Dependence(self.depends, self.weighings, func, args, kwargs)
        moves = call_.any()
        result = func(*args, **kwargs)
        made = [leaf for leaf in tree_leaves(args[0] if name == "setitem" else result) if torch.is_tensor(leaf)]
        if not made:
            return result  # a shape, say
        found = RULES[name](call_, made) if moves and name in RULES else None
        if found is None or [each.shape for each in found] != [leaf.shape for leaf in made]:
            found = [torch.tensor(moves).expand(leaf.shape) for leaf in made]
        for leaf, own in zip(made, found, strict=True):
            self.depends[leaf] = own
        return result

    def _look(self, name: str, args: Any, kwargs: Any) -> None:
        """Record what a weight reads."""
        if name == "linear" or name.startswith("conv"):
            given = named((*OPERANDS, *GEOMETRY), args, kwargs)
            axis = -1 if name == "linear" else -int(name[-2]) - 1 if name[-2:] in ("1d", "2d", "3d") else None
            if axis is not None and "transpose" not in name:
                self._record(given["weight"], given["input"], axis, given)
        elif name == "addmm":
            self._record(args[2], args[1], -1, {})
        elif name in PRODUCTS:
            self._record(args[1], args[0], -1, {})
        elif name == "multi_head_attention_forward":
            self._attend(args, kwargs)

    def _record(self, weight: Tensor, read: Tensor, axis: int, given: Any) -> None:
        if id(weight) not in self._names:
            return
        rows = read.detach().movedim(axis, 0).flatten(1).double()
        depends = self.depends.get(read, torch.tensor(True).expand(read.shape))
        free = depends.movedim(axis, 0).flatten(1).any(1)
        low, high = rows.amin(1), rows.amax(1)
        constant = ~free & (high - low <= EQUAL * high.abs().clamp(min=1))
        padding = given.get("padding") or 0
        padded = padding not in (0, "valid") and any(tree_leaves(padding))
        self.found[self._names[id(weight)]].append(Reading(constant, rows[:, 0], padded, given.get("groups") or 1))

    def _attend(self, args: Any, kwargs: Any) -> None:
        """The last projection of torch's attention reads shares, that sum to one, of rows of values."""
        packed, bias, out = args[5], args[6], args[11]
        weight = kwargs["v_proj_weight"] if kwargs.get("use_separate_proj_weight") else packed.chunk(3)[2]
        dead = ~(weight != 0).any(1)
        values = torch.zeros(len(dead)) if bias is None else bias.chunk(3)[2].detach()
        if id(out) in self._names:
            self.found[self._names[id(out)]].append(Reading(dead, values.double(), padded=False))
