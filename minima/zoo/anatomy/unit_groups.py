"""Groups of units that can be removed, made of what was followed through a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from minima.zoo.anatomy.following import Following, Places

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
    """of the module that makes them first in the forward pass, such as `layer1.0.conv2`; of heads, of the attention;
    the class of the network where that is the network itself"""
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
        """All places of the group's units: where they are made, and where they are read."""
        return {**self.made, **self.read}


def unit_groups(following: Following, model: nn.Module) -> list[tuple[UnitGroup, list[int]]]:
    """The groups in forward order, each with the class of every unit."""
    order = {key: place for place, key in enumerate(following.made)}
    members = [each for each in following.units() if len(each) > 1 and _is_read(following, each[0])]
    members.sort(key=lambda each: min(order[key] for key, _ in each[0]))
    found: list[tuple[UnitGroup, list[int]]] = []
    for each in members:
        classes = [_class(following, places) for places in each]
        group = _group(following, model, each, classes[0], order, [group.name for group, _ in found])
        found.append((group, classes))
    return found


def _is_read(following: Following, places: Places) -> bool:
    """Whether a unit is made and read: else it is a parameter's own matter."""
    reads = [place in following.demands.reads for place in places]
    return any(reads) and not all(reads)


def _class(following: Following, places: Places) -> int:
    (key, axis), (entry, *_) = next(iter(places.items()))
    return int(following.classes.of(following.axes[key][axis][entry]))


def _group(
    following: Following,
    model: nn.Module,
    members: list[Places],
    unit: int,
    order: Mapping[int, int],
    taken: Iterable[str],
) -> UnitGroup:
    made: dict[tuple[str, int], Any] = {}
    read: dict[tuple[str, int], Any] = {}
    for key, axis in sorted(members[0], key=lambda place: order[place[0]]):
        side = read if (key, axis) in following.demands.reads else made
        for name in following.names[key]:
            side[name, axis] = np.array([member[key, axis] for member in members])
    first = next(iter(made))[0].rpartition(".")[0]
    owners = [name.rpartition(".")[0] for name, _ in (*made, *read)]
    kind = _kind(following, model.get_submodule(first), unit)
    name = (_common(owners) if kind == "head" else first) or type(model).__name__
    return UnitGroup(_unused(name, taken), kind, len(members), made, read)


def _kind(following: Following, first: nn.Module, unit: int) -> str:
    if any(bool((following.classes.of(heads) == unit).any()) for heads in following.demands.heads):
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
