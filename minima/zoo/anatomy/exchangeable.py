"""Finding the units of a network that may trade places, by one forward pass whose operations are intercepted.

Every entry of an activation belongs to a unit, and so does every place along an axis of a parameter. Operations say
which are one: a linear layer that the entries of its input are the columns of its weight, a sum that its terms'
entries are each other, a reshape that they are the same elsewhere. Whatever is not understood holds its units fast.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from minima.zoo.anatomy.exchange import Group
from minima.zoo.anatomy.operations import operation_name
from minima.zoo.anatomy.prunable import prunable
from minima.zoo.anatomy.union_find import FIXED, UNKNOWN, Classes
from minima.zoo.anatomy.unit_rules import RULES, Follower
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import call, leaves


def exchangeable(model: nn.Module, x: Tensor) -> tuple[list[Group], list[str]]:
    """Groups of exchangeable units of `model`, of two units or more, found in a forward pass over x (1, ...).

    Beside them the convolution and linear weights whose units were lost sight of: in attention, in a grouped
    convolution, in a reshape that mixes them.

    >>> groups, lost = exchangeable(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), torch.zeros(1, 3))
    >>> [(group.size, list(group.places)) for group in groups], lost
    ([(4, [('0.weight', 0), ('0.bias', 0), ('2.weight', 1)])], [])
    """
    tracing = _Tracing(model)
    with evaluating(model), torch.no_grad():
        for leaf in leaves(x):
            tracing.numbers[leaf] = torch.full(leaf.shape, FIXED)
        with tracing:
            output = call(model, x)
    tracing.settle(output)
    return tracing.groups(), tracing.lost()


class _Tracing(TorchFunctionMode):
    """Hands each operation to the rule that knows it."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self._model, self._classes = model, Classes()
        self.numbers = WeakTensorKeyDictionary()
        """activation -> the numbers of its entries' classes, of its shape"""
        self._names: dict[int, list[str]] = defaultdict(list)
        self._axes: dict[int, list[Tensor]] = {}
        """of a parameter or buffer, for each axis: the numbers of the classes along it"""
        self._seen: set[int] = set()
        self._met: list[Tensor] = []
        """for each operation in turn: the numbers in what it made"""
        for name, tensor in self._tensors():
            if not self._names[id(tensor)]:
                self._axes[id(tensor)] = [self._classes.new(size) for size in tensor.shape]
            self._names[id(tensor)].append(name)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = kwargs or {}, operation_name(func)
        result = func(*args, **kwargs)
        made = [leaf for leaf in tree_leaves(args[0] if name == "setitem" else result) if torch.is_tensor(leaf)]
        used = [leaf for leaf in tree_leaves((args, kwargs)) if torch.is_tensor(leaf)]
        if made and any(leaf in self.numbers or id(leaf) in self._axes for leaf in used):
            follower = Follower(self._classes, self.numbers, self._axes, func, args, kwargs, made)
            numbers = RULES[name](follower) if name in RULES else None
            if numbers is None or [each.shape for each in numbers] != [leaf.shape for leaf in made]:
                self._lose(used)
                numbers = [torch.full(leaf.shape, UNKNOWN) for leaf in made]
            self._seen.update(id(leaf) for leaf in used)
            self._met.append(torch.cat([own.unique() for own in numbers]))
            for leaf, own in zip(made, numbers, strict=True):
                self.numbers[leaf] = own
        return result

    def settle(self, output: Any) -> None:
        """The outputs stay in their order, and so do tensors that the pass did not use."""
        for leaf in tree_leaves(output):
            if torch.is_tensor(leaf) and leaf in self.numbers:
                self._classes.fix(self.numbers[leaf], FIXED)
        for key, axes in self._axes.items():
            if key not in self._seen:
                for axis in axes:
                    self._classes.fix(axis, FIXED)

    def groups(self) -> list[Group]:
        """Units that went through the same operations and occupy the same axes, with as many entries there each."""
        units: dict[int, dict[tuple[int, int], list[int]]] = defaultdict(lambda: defaultdict(list))
        for key, each in self._axes.items():
            for axis, numbers in enumerate(each):
                for place, unit in enumerate(self._classes.of(numbers).tolist()):
                    if unit > UNKNOWN:
                        units[unit][key, axis].append(place)
        ways: dict[int, list[int]] = defaultdict(list)
        for operation, numbers in enumerate(self._met):
            for unit in self._classes.of(numbers).unique().tolist():
                ways[unit].append(operation)
        alike: dict[Any, list[dict[tuple[int, int], list[int]]]] = defaultdict(list)
        for unit, places in units.items():
            axes = tuple((axis, len(entries)) for axis, entries in places.items())
            alike[tuple(ways[unit]), axes].append(places)
        return [self._group(members) for members in alike.values() if len(members) > 1]

    def lost(self) -> list[str]:
        """Weights with an output that is no unit since something was not understood."""
        return [
            name
            for name, weight in prunable(self._model).items()
            if bool((self._classes.of(self._axes[id(weight)][0]) == UNKNOWN).any())
        ]

    def _group(self, members: list[dict[tuple[int, int], list[int]]]) -> Group:
        places = {
            (name, axis): np.array([member[key, axis] for member in members])
            for key, axis in members[0]
            for name in self._names[key]
        }
        return Group(places)

    def _lose(self, used: list[Tensor]) -> None:
        for leaf in used:
            for numbers in [self.numbers[leaf]] if leaf in self.numbers else self._axes.get(id(leaf), []):
                self._classes.fix(numbers, UNKNOWN)

    def _tensors(self) -> list[tuple[str, Tensor]]:
        parameters = self._model.named_parameters(remove_duplicate=False)
        return [*parameters, *self._model.named_buffers(remove_duplicate=False)]
