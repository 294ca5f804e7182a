"""Following units along the tape of a forward pass.

Every entry of an activation belongs to a unit, and so does every place along an axis of a parameter. Operations say
which are one: a linear layer that the entries of its input are the columns of its weight, a sum that its terms'
entries are each other, a reshape that they are the same elsewhere. Whatever is not understood holds its units fast.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from minima.zoo.anatomy.costs.counted import multiply_adds
from minima.zoo.anatomy.rules.follower import Demands, Follower
from minima.zoo.anatomy.rules.queries import Grid, grids
from minima.zoo.anatomy.tape import Operation, Tape, Value, record
from minima.zoo.anatomy.union_find import FIXED, UNKNOWN, Classes
from minima.zoo.anatomy.unit_rules import RULES
from minima.zoo.examples.inputs import Inputs


@dataclass(frozen=True)
class Step:
    """An operation of the pass that made tensors."""

    name: str
    caller: str
    """the module that called it"""
    shapes: list[tuple[int, ...]]
    """of what it made"""
    numbers: list[Tensor]
    """of what it made; none where it had nothing to do with units"""
    pads: tuple[int, ...] = ()
    """what was put beside it, from the last axis on"""
    copies: list[Tensor] = field(default_factory=list)
    """of what it made, where entries were repeated: the numbers of the copies"""


Places = dict[tuple[int, int], list[int]]
"""for each axis of a tensor (its id and which axis): the entries of one unit there, ascending"""


@dataclass(frozen=True)
class Unit:
    """Entries of tensors that go, or trade places, as one."""

    classes: frozenset[int]
    places: Places


def followed(model: nn.Module, x: Inputs, whole: bool = False) -> Following:
    """The units of `model`, in eval mode, seen in a forward pass over x (1, ...).

    Args:
        whole: what can go, rather than trade places: units that are compared with each other (normalised together)
            count as one, and queries that share a key are seen one by one.
    """
    following, tape = Following(model, whole), record(model, x)
    for leaf in tape.inputs:
        following.begin(leaf)
    for operation in tape.operations:
        following.read(operation)
    following.settle(tape)
    return following


class Following:
    """Hands each operation to the rule that knows it."""

    def __init__(self, model: nn.Module, whole: bool) -> None:
        self.whole = whole
        self.copies: dict[Any, Tensor] | None = {} if whole else None
        """activation in which entries were repeated -> numbers of the copies, of its shape"""
        self.grids: list[Grid] = []
        """of grouped queries"""
        self.classes, self.demands = Classes(), Demands()
        self.numbers: dict[Any, Tensor] = {}
        """activation -> the numbers of its entries' classes, of its shape"""
        self.names: dict[int, list[str]] = defaultdict(list)
        """of each parameter and buffer, by its id"""
        self.axes: dict[int, list[Tensor]] = {}
        """of a parameter or buffer, for each axis: the numbers of the classes along it"""
        self.steps: list[Step] = []
        """the operations in turn"""
        self.made: dict[int, str] = {}
        """of each parameter and buffer that was used, in order: the module that used it first"""
        self._signals: set[Any] = set()
        """activations that depend on the network's inputs"""
        self._trained = {id(parameter) for parameter in model.parameters()}
        for name, tensor in _tensors(model):
            if not self.names[id(tensor)]:
                self.axes[id(tensor)] = [self.classes.new(size) for size in tensor.shape]
            self.names[id(tensor)].append(name)

    def begin(self, leaf: Value) -> None:
        """Take in an input, which has no units."""
        self.numbers[leaf] = torch.full(leaf.shape, FIXED)
        self._signals.add(leaf)

    def read(self, operation: Operation) -> None:
        """Take in what an operation says of units.

        What is made of buffers alone (the angles of rotary positions, say) is a constant.
        """
        of_units = any(leaf in self.numbers or id(leaf) in self._trained for leaf in operation.operands)
        numbers = self._numbers(operation) if of_units else []
        if any(leaf in self._signals for leaf in operation.operands):
            self._signals.update(operation.made)
        pads = tuple(operation.given("input", "pad")["pad"]) if operation.name == "pad" else ()
        shapes = [tuple(value.shape) for value in operation.made]
        known = self.copies or {}
        copies = [known[value] for value in operation.made] if all(value in known for value in operation.made) else []
        self.steps.append(Step(operation.name, operation.caller.path, shapes, numbers, pads, copies))

    def settle(self, tape: Tape) -> None:
        """The outputs stay in their order, and so do tensors that the pass did not use; demands are met."""
        for leaf in tape.outputs:
            if leaf in self.numbers:
                self.classes.fix(self.numbers[leaf], FIXED, "the network's output")
        for key, axes in self.axes.items():
            if key not in self.made:
                for axis in axes:
                    self.classes.fix(axis, FIXED, "not used in the forward pass")
        for demand in self.demands.together if self.whole else ():
            first = demand.numbers.amax(demand.axes, keepdim=True).expand(demand.numbers.shape)
            self.classes.join(demand.numbers, first)
        self._meet_demands()
        while self.demands.shared:
            before = self.classes.of(torch.arange(self.classes.count))
            self.grids = grids(self.classes, self.demands.shared)
            self._meet_demands()
            if torch.equal(before, self.classes.of(torch.arange(self.classes.count))):
                break

    def _meet_demands(self) -> None:
        waiting = list(self.demands.alike)
        while unmet := [each for each in waiting if not self._alike(each.numbers, each.axes)]:
            for each in unmet:
                self.classes.fix(each.numbers, FIXED, f"{each.why} treats each in a way of its own")
            waiting = [each for each in waiting if each not in unmet]

    def units(self) -> list[list[Unit]]:
        """Units that went through the same operations and occupy the same axes, with as many entries there each."""
        places: dict[int, Places] = defaultdict(lambda: defaultdict(list))
        for key, each in self.axes.items():
            for axis, numbers in enumerate(each):
                for place, unit in enumerate(self.classes.of(numbers).tolist()):
                    if unit > UNKNOWN:
                        places[unit][key, axis].append(place)
        ways: dict[int, set[int]] = defaultdict(set)
        for operation, step in enumerate(self.steps):
            for unit in {unit for numbers in step.numbers for unit in self.classes.of(numbers).unique().tolist()}:
                ways[unit].add(operation)
        shared = [classes for grid in self.grids for classes in (*grid.groups, *grid.queries)]
        inside = frozenset().union(*shared)
        alike: dict[Any, list[Unit]] = defaultdict(list)
        for classes in (*(frozenset([unit]) for unit in places if unit not in inside), *shared):
            unit = Unit(classes, self._together([places[each] for each in classes if each in places]))
            way = frozenset().union(*(ways[each] for each in classes))
            axes = tuple((place, len(entries)) for place, entries in unit.places.items())
            alike[way, axes].append(unit)
        return list(alike.values())

    def _together(self, parts: Sequence[Places]) -> Places:
        """The entries of several on each axis, ascending; axes in the order of the tensors."""
        axes = [(key, axis) for key, own in self.axes.items() for axis in range(len(own))]
        return {
            place: sorted(entry for part in parts for entry in part.get(place, ()))
            for place in (axes if len(parts) > 1 else parts[0])
            if any(place in part for part in parts)
        }

    def _numbers(self, operation: Operation) -> list[Tensor]:
        made, where = operation.made, operation.where
        known = self.classes, self.demands, self.numbers, self.copies, self.axes
        call = Follower(*known, operation.func, operation.args, operation.kwargs, made, where)
        counted = self.demands.counted
        numbers = RULES[operation.name](call) if operation.name in RULES else None
        if self.demands.counted == counted:
            self._count(operation)
        if numbers is None or [each.shape for each in numbers] != [leaf.shape for leaf in made]:
            self._lose(operation.operands, f"{where} is not understood")
            numbers = [torch.full(leaf.shape, UNKNOWN) for leaf in made]
        for leaf in operation.operands:
            if id(leaf) in self.axes:
                self.made.setdefault(id(leaf), operation.caller.path)
        self.numbers.update(zip(made, numbers, strict=True))
        return numbers

    def _count(self, operation: Operation) -> None:
        """What an operation takes that no rule counted."""
        found = multiply_adds(operation)
        signals = [leaf for leaf in operation.operands if leaf in self._signals]
        weights = [
            leaf
            for leaf in operation.operands
            if leaf.ndim > 1 and (id(leaf) in self._trained or leaf in self.numbers) and leaf not in self._signals
        ]
        if found is None and signals and weights:
            self.demands.uncounted.append(operation.where)
        self.demands.constants.append(found or 0)

    def _lose(self, used: Sequence[Any], why: str) -> None:
        for leaf in used:
            for numbers in [self.numbers[leaf]] if leaf in self.numbers else self.axes.get(id(leaf), []):
                self.classes.fix(numbers, UNKNOWN, why)

    def _alike(self, numbers: Tensor, axes: Sequence[int]) -> bool:
        return all(self.classes.alike(numbers, axis) for axis in axes)


def _tensors(model: nn.Module) -> list[tuple[str, Tensor]]:
    parameters = model.named_parameters(remove_duplicate=False)
    return [*parameters, *model.named_buffers(remove_duplicate=False)]
