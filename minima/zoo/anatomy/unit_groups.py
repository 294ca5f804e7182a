"""Groups of units that can be removed, made of what was followed through a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from minima.zoo.anatomy.following import Following, Places, Unit

QUERY = "query head"
"""kind of the units that are a query head of each key"""
Entries = Mapping[tuple[str, int], NDArray[np.int64]]
"""for axes of parameters and buffers (name, which axis): (units, k) the entries of each unit there"""


@dataclass(frozen=True, eq=False)
class UnitGroup:
    """Units of one width, each of which can be removed for itself: with all its entries in all these tensors.

    A channel that enters a sum (a shortcut) is one with the channels that it is added to. Of a convolution in groups a
    unit is one channel of each group. Of attention it is a head; with grouped queries a key and all queries that share
    it, and in a group beside that one a query head of each key: the k-th of all.
    """

    name: str
    """of the module that makes them first in the forward pass, such as `layer1.0.conv2`; of heads, of the attention;
    the class of the network where that is the network itself"""
    kind: str
    """channel, neuron, head or query head"""
    size: int
    """how many units"""
    made: Entries
    """rows of weights, biases, norms' scale, shift and running statistics, depthwise kernels"""
    read: Entries
    """columns of the weights that read them"""
    crosses: str = ""
    """of query heads: the group of keys with all their queries, each unit of which has a part of each unit here"""

    @property
    def places(self) -> dict[tuple[str, int], NDArray[np.int64]]:
        """All places of the group's units: where they are made, and where they are read."""
        return {**self.made, **self.read}


def unit_groups(following: Following, model: nn.Module) -> list[tuple[UnitGroup, list[frozenset[int]]]]:
    """The groups in forward order, each with the classes of every unit."""
    order = {key: place for place, key in enumerate(following.made)}
    members = [each for each in following.units() if len(each) > 1 and _is_read(following, each[0].places)]
    members.sort(key=lambda each: min(order[key] for key, _ in each[0].places))
    found: list[tuple[UnitGroup, list[frozenset[int]]]] = []
    for each in members:
        classes = [unit.classes for unit in each]
        group = _group(following, model, each, order, [group.name for group, _ in found])
        crossed = [other.name for other, theirs in found if classes[0] & theirs[0]]
        found.append((replace(group, crosses=crossed[0]) if crossed else group, classes))
    return found


def _is_read(following: Following, places: Places) -> bool:
    """Whether a unit is made and read: else it is a parameter's own matter."""
    reads = [place in following.demands.reads for place in places]
    return any(reads) and not all(reads)


def _group(
    following: Following, model: nn.Module, members: list[Unit], order: Mapping[int, int], taken: Iterable[str]
) -> UnitGroup:
    made: dict[tuple[str, int], Any] = {}
    read: dict[tuple[str, int], Any] = {}
    for key, axis in sorted(members[0].places, key=lambda place: order[place[0]]):
        side = read if (key, axis) in following.demands.reads else made
        for name in following.names[key]:
            side[name, axis] = np.array([member.places[key, axis] for member in members])
    first = next(iter(made))[0].rpartition(".")[0]
    owners = [name.rpartition(".")[0] for name, _ in (*made, *read)]
    kind = _kind(following, model.get_submodule(first), members[0].classes)
    name = (first if kind in ("channel", "neuron") else _common(owners)) or type(model).__name__
    return UnitGroup(_unused(f"{name} queries" if kind == QUERY else name, taken), kind, len(members), made, read)


def _kind(following: Following, first: nn.Module, unit: frozenset[int]) -> str:
    if any(unit & set(grid.ranks) for grid in following.grids):
        return QUERY
    if any(unit & set(following.classes.of(heads).flatten().tolist()) for heads in following.demands.heads):
        return "head"
    return "channel" if isinstance(first, nn.modules.conv._ConvNd) else "neuron"


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
