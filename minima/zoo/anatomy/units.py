"""Which units of a network may be rescaled: what makes them, and what reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from minima.zoo.anatomy.operations import (
    ACTIVATIONS,
    CONVOLUTIONS,
    DROPOUTS,
    GEOMETRY,
    OPERANDS,
    POOLS,
    POSITIVELY_HOMOGENEOUS,
    is_activation,
)
from minima.zoo.anatomy.tape import Operation, Value, record
from minima.zoo.anatomy.union_find import FIXED, Classes

HANDING_ON = POOLS | DROPOUTS | {"contiguous", "clone", "detach", "to", "float", "double"}
"""linear in every unit"""
RESHAPES = frozenset({"flatten", "view", "reshape"})


@dataclass
class Group:
    """Units whose scale is one: multiplied where they are made, divided where they are read."""

    size: int
    made: list[str] = field(default_factory=list)
    """parameters with the units along their first axis: weights, biases, gamma and beta of a batch norm"""
    read: list[tuple[str, int]] = field(default_factory=list)
    """weights with the units along their second axis, each as so many neighbouring entries"""


@dataclass(frozen=True)
class Units:
    """What a forward pass shows of the units of a network."""

    groups: list[Group]
    """those that may be rescaled, in forward order"""
    applied: list[str]
    """weights of linear layers and convolutions, in the order in which they are applied"""
    curved: list[str]
    """activations, by operation, that are not positively homogeneous"""


def trace_units(model: nn.Module, x: Tensor) -> Units:
    """Follow the units of `model`, in eval mode, through a forward pass over x (1, ...).

    Units that enter a sum share their scale with those that they are added to. The units of the output, and those that
    enter any operation not known to pass a positive factor on, keep theirs: what is not understood is not rescaled.

    >>> net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> trace_units(net, torch.zeros(1, 3)).groups
    [Group(size=4, made=['0.weight', '0.bias'], read=[('2.weight', 1)])]
    """
    scales, tape = _Scales(model), record(model, x)
    for operation in tape.operations:
        scales.read(operation)
    scales.fix(tape.outputs)
    curved = [each.name for each in tape.operations if each.name in ACTIVATIONS - POSITIVELY_HOMOGENEOUS]
    return Units(scales.free(), scales.applied, curved)


class _Scales:
    """Which units have one scale, operation by operation."""

    def __init__(self, model: nn.Module) -> None:
        self.applied: list[str] = []
        self._names = {id(parameter): name for name, parameter in model.named_parameters()}
        self._uses: Counter[str] = Counter()
        self._classes = Classes()
        self._scales: dict[Any, Tensor] = {}
        """value (N, units, ...) or (N, units * k) -> (1,) the number of its units' class"""
        self._made: dict[int, Group] = {}
        """by their number"""
        self._read: list[tuple[Tensor, str, int]] = []
        """their number, the weight, and its columns"""
        self._places: dict[int, int] = {}
        """of each class in forward order; of what is joined, that of the first operand"""

    def read(self, operation: Operation) -> None:
        """Take in what an operation says of units."""
        self._uses.update(self._names[id(leaf)] for leaf in operation.operands if id(leaf) in self._names)
        if operation.name == "linear" or operation.name in CONVOLUTIONS:
            self._weighted(operation)
        elif operation.name == "batch_norm":
            given = operation.given("input", "mean", "variance", "weight", "bias")
            self.fix([given["input"]])  # by the running statistics
            self._make(operation.made[0], given["weight"], given["bias"])
        elif self._followed(operation.operands):
            self._other(operation)

    def fix(self, values: Iterable[Any]) -> None:
        """The units in these keep their scale."""
        for value in self._followed(values):
            self._classes.fix(self._scales[value], FIXED)

    def free(self) -> list[Group]:
        """Groups that nothing fixes, of parameters that are used once."""
        found: dict[int, Group] = {}
        for number, own in self._made.items():
            found.setdefault(self._class(torch.tensor(number)), Group(own.size)).made += own.made
        for scale, weight, columns in self._read:
            group = found[self._class(scale)]
            group.read.append((weight, columns // group.size))
        found.pop(FIXED, None)
        groups = [found[number] for number in sorted(found, key=self._places.__getitem__)]
        return [group for group in groups if group.read and self._used_once(group)]

    def _used_once(self, group: Group) -> bool:
        return all(self._uses[name] == 1 for name in (*group.made, *(weight for weight, _ in group.read)))

    def _weighted(self, operation: Operation) -> None:
        """A linear layer or a convolution: reads units, makes others."""
        given = operation.given(*OPERANDS, *GEOMETRY)
        weight = self._names.get(id(given["weight"]))
        if weight is not None:
            self.applied.append(weight)
        mixed = given["groups"] not in (None, 1) or (operation.name == "linear" and given["input"].ndim != 2)
        if mixed or weight is None:
            self.fix([given["input"]])
        else:
            read = self._followed([given["input"]])
            self._read += [(self._scales[value], weight, given["weight"].shape[1]) for value in read]
        if not mixed:
            self._make(operation.made[0], given["weight"], given["bias"])

    def _make(self, made: Value, weight: Any, bias: Any) -> None:
        """Units of their own, if they have weights that are parameters."""
        scale = self._scales[made] = self._classes.new(1)
        names = [self._names.get(id(tensor)) for tensor in (weight, bias) if tensor is not None]
        known = [name for name in names if name is not None]
        self._made[int(scale)] = Group(made.shape[1], known)
        self._places[self._class(scale)] = len(self._places)
        if weight is None or len(known) < len(names):
            self.fix([made])

    def _other(self, operation: Operation) -> None:
        """Hand the class on where the operation hands factors on; fix it otherwise."""
        inputs, made = self._followed(operation.operands), operation.made
        if operation.name == "add" and len(inputs) == 2 and inputs[0].shape == inputs[1].shape == made[0].shape:
            self._join(*(self._scales[value] for value in inputs))
        elif not (inputs[0] is operation.args[0] and _hands_on(operation, alone=len(inputs) == 1)):
            self.fix(inputs)
            return
        self._scales |= dict.fromkeys(made, self._scales[inputs[0]])

    def _join(self, first: Tensor, second: Tensor) -> None:
        place = self._places.get(self._class(first), 0)
        one, two = self._made[int(first)], self._made[int(second)]
        self._classes.join(first, second)
        self._places[self._class(first)] = place
        if one.size != two.size:
            self._classes.fix(first, FIXED)

    def _followed(self, values: Iterable[Any]) -> list[Value]:
        return [value for value in values if isinstance(value, Value) and value in self._scales]

    def _class(self, scale: Tensor) -> int:
        return int(self._classes.of(scale))


def _hands_on(operation: Operation, alone: bool) -> bool:
    """Whether every unit of the first argument is in the result, where it was or spread over neighbours, times it.

    Args:
        alone: no units among the other arguments.
    """
    name, source, result = operation.name, operation.args[0], operation.made[0]
    if name == "overwritten":
        return True
    if not alone or result.ndim < 2 or len(operation.made) > 1:
        return False
    kept = result.shape[:2] == source.shape[:2]
    if name in RESHAPES:
        return kept or (result.ndim == 2 and result.shape[0] == source.shape[0])
    if name in POSITIVELY_HOMOGENEOUS:
        return is_activation(name, operation.args, operation.kwargs)
    if name == "mean":
        dims = operation.given("input", "dim")["dim"]
        return all(dim % source.ndim > 1 for dim in (dims if isinstance(dims, list | tuple) else [dims]))
    return name in HANDING_ON and kept
