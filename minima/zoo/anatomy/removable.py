"""Finding the units of a network that can be removed, each with all that holds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from minima.zoo.anatomy.cost import Axis, Cost, Costs, Kept, Sized
from minima.zoo.anatomy.following import Following, Places, followed
from minima.zoo.anatomy.prunable import prunable
from minima.zoo.anatomy.union_find import UNKNOWN
from minima.zoo.examples.inputs import Inputs

Entries = Mapping[tuple[str, int], NDArray[np.int64]]
"""for axes of parameters and buffers (name, which axis): (units, k) the entries of each unit there"""


@dataclass(frozen=True, eq=False)
class UnitGroup:
    """Units of one width, each of which can be removed for itself: with all its entries in all these tensors.

    A channel that enters a sum (a shortcut) is one with the channels that it is added to. Of a convolution in groups a
    unit is one channel of each group. Of attention it is a head; with grouped queries a key and all queries that share
    it.
    """

    name: str
    """of the module that makes them first in the forward pass, such as `layer1.0.conv2`; of heads, of the attention"""
    kind: str
    """channel, neuron or head"""
    size: int
    """how many units"""
    made: Entries
    """rows of weights, biases, norms' scale, shift and running statistics, depthwise kernels"""
    read: Entries
    """columns of the weights that read them"""

    @property
    def places(self) -> dict[tuple[str, int], NDArray[np.int64]]:
        """Made and read."""
        return {**self.made, **self.read}


@dataclass(frozen=True, eq=False)
class Removable:
    """What of a network can be removed, and what cannot."""

    groups: list[UnitGroup]
    """in forward order"""
    held: dict[str, str]
    """module -> why its units cannot be removed"""
    costs: Costs = field(repr=False)

    def group(self, name: str) -> UnitGroup:
        """The group of this name."""
        return next(group for group in self.groups if group.name == name)

    def cost(self, kept: Kept | None = None) -> Cost:
        """What the network costs when only these units are kept; groups left out keep all.

        >>> import torch
        >>> found = removable(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), torch.zeros(1, 3))
        >>> found.cost().parameters, found.cost({"0": np.array([True, True, False, False])}).parameters
        (26, 14)
        """
        return self.costs.of(kept or {})


def removable(model: nn.Module, x: Inputs) -> Removable:
    """The units of `model` that can be removed, found in a forward pass over x (1, ...), in eval mode.

    Units that are normalised with each other (layer norm) or that the network returns cannot, nor can those that met an
    operation that is not understood: `held` says so by module.

    >>> import torch
    >>> found = removable(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), torch.zeros(1, 3))
    >>> [(group.name, group.kind, group.size, list(group.made), list(group.read)) for group in found.groups]
    [('0', 'neuron', 4, [('0.weight', 0), ('0.bias', 0)], [('2.weight', 1)])]
    >>> found.held
    {'2': "the network's output"}
    """
    following = followed(model, x, whole=True)
    order = {key: place for place, key in enumerate(following.made)}
    members = [each for each in following.units() if len(each) > 1 and _is_read(following, each[0])]
    members.sort(key=lambda each: min(order[key] for key, _ in each[0]))
    groups: list[UnitGroup] = []
    for each in members:
        groups.append(_group(following, model, each, order, [group.name for group in groups]))
    return Removable(groups, _held(following, model, members), _costs(following, model, groups, members))


def _is_read(following: Following, places: Places) -> bool:
    """Whether a unit is made and read: else it is a parameter's own matter."""
    reads = [place in following.demands.reads for place in places]
    return any(reads) and not all(reads)


def _group(
    following: Following, model: nn.Module, members: list[Places], order: Mapping[int, int], taken: Iterable[str]
) -> UnitGroup:
    made: dict[tuple[str, int], Any] = {}
    read: dict[tuple[str, int], Any] = {}
    for key, axis in sorted(members[0], key=lambda place: order[place[0]]):
        side = read if (key, axis) in following.demands.reads else made
        for name in following.names[key]:
            side[name, axis] = np.array([member[key, axis] for member in members])
    first = next(iter(made))[0]
    kind = _kind(following, model, members[0], first)
    owners = [name.rpartition(".")[0] for name, _ in (*made, *read)]
    name = _common(owners) if kind == "head" else first.rpartition(".")[0]
    return UnitGroup(_unused(name, taken), kind, len(members), made, read)


def _kind(following: Following, model: nn.Module, places: Places, first: str) -> str:
    (key, axis), (entry, *_) = next(iter(places.items()))
    unit = int(following.classes.of(following.axes[key][axis][entry]))
    if any(bool((following.classes.of(heads) == unit).any()) for heads in following.demands.heads):
        return "head"
    return "channel" if isinstance(model.get_submodule(first.rpartition(".")[0]), nn.modules.conv._ConvNd) else "neuron"


def _common(owners: list[str]) -> str:
    """The module that all of these lie in, or are."""
    parts = zip(*(owner.split(".") for owner in owners), strict=False)
    return ".".join(part[0] for part in takewhile(lambda part: len(set(part)) == 1, parts))


def _unused(name: str, taken: Iterable[str]) -> str:
    """The name itself, with #2 and so on where it is taken."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}#{number}"
    return found


def _held(following: Following, model: nn.Module, members: list[list[Places]]) -> dict[str, str]:
    """Why weights make entries that are no removable units, by module."""
    free = {
        (key, axis, place) for each in members for unit in each for (key, axis), own in unit.items() for place in own
    }
    applied = {key for key, _ in following.demands.uses}
    held: dict[str, str] = {}
    for name, parameter in model.named_parameters():
        key = id(parameter)
        axis = next((axis for axis in range(parameter.ndim) if (key, axis) not in following.demands.reads), 0)
        numbers = following.axes[key][axis] if parameter.ndim > 1 else following.axes[key][0][:0]
        others = numbers[[(key, axis, place) not in free for place in range(len(numbers))]]
        if len(others) and (key in applied or bool((following.classes.of(others) == UNKNOWN).any())):
            held.setdefault(name.rpartition(".")[0], _reason(following, others))
    return held


def _reason(following: Following, numbers: Tensor) -> str:
    found = following.classes.why(numbers)
    if found:
        return "; ".join(found[:2])
    classes = set(following.classes.of(numbers).tolist())
    for demand in following.demands.together:
        if classes & set(following.classes.of(demand.numbers).unique().tolist()):
            return f"normalised together by {demand.why}"
    return "a single unit, or read by nothing"


def _costs(following: Following, model: nn.Module, groups: list[UnitGroup], members: list[list[Places]]) -> Costs:
    weights = {id(weight) for weight in prunable(model).values()}
    parameters = {id(parameter) for parameter in model.parameters()}
    axes: dict[str, dict[int, tuple[Axis, ...]]] = {}
    for group in groups:
        for (name, axis), places in group.places.items():
            own = axes.setdefault(name, {})
            own[axis] = (*own.get(axis, ()), Axis(group.name, places.shape[1]))
    tensors = []
    for key, names in following.names.items():
        tensor = next(value for value in (*model.parameters(), *model.buffers()) if id(value) == key)
        positions = sum(times for used, times in following.demands.uses if used == key)
        tensors.append(
            Sized(
                tuple(tensor.shape),
                axes.get(names[0], {}),
                tensor.element_size(),
                key in parameters,
                key in weights,
                positions,
            )
        )
    each, constant = _products(following, groups, members)
    return Costs({group.name: group.size for group in groups}, tuple(tensors), each, constant)


def _products(following: Following, groups: list[UnitGroup], members: list[list[Places]]) -> tuple[dict[str, int], int]:
    """Multiply-adds of products of activations, for each unit of a group; and those of no group."""
    owner: dict[int, str] = {}
    for group, units in zip(groups, members, strict=True):
        for places in units:
            (key, axis), (entry, *_) = next(iter(places.items()))
            owner[int(following.classes.of(following.axes[key][axis][entry]))] = group.name
    total: dict[str, int] = {}
    constant = 0
    for numbers, cost in following.demands.products:
        for unit in following.classes.of(numbers).flatten().tolist():
            if unit > UNKNOWN and unit in owner:
                total[owner[unit]] = total.get(owner[unit], 0) + cost
            else:
                constant += cost
    sizes = {group.name: group.size for group in groups}
    return {name: cost // sizes[name] for name, cost in total.items()}, constant
