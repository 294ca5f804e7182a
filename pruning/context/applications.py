"""Where the weights that read units are applied, seen in a pass: whether by a module, by a function, once or often."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from minima.zoo.anatomy.operations import LAYERS, MATRIX_PRODUCTS, OPERANDS
from minima.zoo.anatomy.rules.attention import MULTI_HEAD
from minima.zoo.anatomy.tape import Listener, Operation, Value
from minima.zoo.anatomy.unit_groups import UnitGroup


class Applications(Listener):
    """Takes what the layers that read groups of units are given, as it is then: the network may write to it later."""

    def __init__(self, model: nn.Module, groups: Sequence[UnitGroup]) -> None:
        self.found: dict[str, dict[str, list[Tensor]]] = {}
        """by group and the weight of each layer that reads it: the units' values in each application"""
        self._groups = [group.name for group in groups]
        self._readers: dict[int, list[tuple[str, str, int, Any]]] = defaultdict(list)
        """by the id of a weight: the groups it reads, its name, along which axis, and the places of their units"""
        for group in groups:
            for (name, axis), places in group.read.items():
                self._readers[id(model.get_parameter(name))].append((group.name, name, axis, places))

    def begin(self, inputs: list[Value]) -> None:  # noqa: ARG002
        """Forget what the mini-batch before showed."""
        self.found = {group: {} for group in self._groups}

    def before(self, operation: Operation) -> None:
        """An operation is about to read; what is applied to parameters says nothing of units."""
        for weight, given, features in _reads(operation):
            if not isinstance(given, Value):
                continue
            for group, name, axis, places in self._readers.get(id(weight), ()):
                values = _values(given.tensor, features, places, weight.shape[axis])
                self.found[group].setdefault(name, []).append(values)


def _reads(operation: Operation) -> Iterator[tuple[Any, Any, int]]:
    """The weights that an operation applies, with what to, and the axis of its features."""
    name, operands = operation.name, operation.operands
    if name == "multi_head_attention_forward":
        given = operation.given(*MULTI_HEAD)
        sides = {side: given[side] for side in ("query", "key", "value")}
        yield from (((given[f"{side[0]}_proj_weight"]), each, -1) for side, each in sides.items())
        yield from (
            (given["in_proj_weight"], each, -1) for each in {id(each): each for each in sides.values()}.values()
        )
    elif name == "addmm":
        yield operands[2], operands[1], -1
    elif name in MATRIX_PRODUCTS:
        yield operands[1], operands[0], -1
    elif name in LAYERS:
        given = operation.given(*OPERANDS)
        yield given["weight"], given["input"], 1 - given["weight"].ndim


def _values(given: Tensor, features: int, places: Any, columns: int) -> Tensor:
    """(n, positions, size) of an input, given the axis of its features; `columns`: how many of them a weight has."""
    width = given.shape[features]
    last = given.detach().movedim(features, -1).reshape(len(given), -1, width)
    return last[..., _entries(width, places, columns)].transpose(2, 3).flatten(1, 2)


def _entries(width: int, places: Any, columns: int) -> Tensor:
    """(size, entries) of a reader's input; columns of a convolution in groups stand for a feature of each of these."""
    own = torch.as_tensor(places)
    return torch.cat([own + first for first in range(0, width, columns)], 1)
