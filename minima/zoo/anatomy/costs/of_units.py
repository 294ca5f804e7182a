"""What a network costs with some of its units: parameters, prunable weights, multiply-adds, bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod

import numpy as np
from numpy.typing import NDArray

Kept = Mapping[str, "int | NDArray[np.bool_]"]
"""for each group by its name: (size,) which of its units are kept, or how many; groups left out keep all"""


@dataclass(frozen=True)
class Cost:
    """What a network takes: entries of parameters, multiply-adds of one example, bytes."""

    parameters: int
    """entries of parameters; what is shared is counted once"""
    prunable: int
    """weights of convolutions and linear layers, over which sparsity is counted"""
    multiply_adds: int
    """for one example: of all operations with a weight, and products of two activations (attention)"""
    bytes: int
    """of parameters and buffers"""
    uncounted: tuple[str, ...] = ()
    """operations with a weight whose multiply-adds are not known, and not among them"""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What of it is not known, in a sentence."""
        names = list(dict.fromkeys(self.uncounted))
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        said = f"multiply-adds are counted without these, whose number is not known: {', '.join(names[:4])}{more}"
        return (said,) if names else ()


@dataclass(frozen=True)
class Axis:
    """An axis of a tensor that units have entries along."""

    group: str
    entries: int
    """of each unit"""
    crosses: str = ""
    """another group, each unit of which has entries in common with each unit of this one"""
    common: int = 0
    """how many"""


@dataclass(frozen=True)
class Sized:
    """A tensor whose size depends on the units kept."""

    shape: tuple[int, ...]
    axes: Mapping[int, tuple[Axis, ...]]
    """by axis: the groups with units along it"""
    itemsize: int
    parameter: bool
    prunable: bool
    positions: Fraction | int
    """multiply-adds that each entry takes part in for one example"""

    def entries(self, removed: Mapping[str, int]) -> int:
        """How many are left once so many units of each group are gone."""
        return prod(
            size - sum(self._gone(each, removed) for each in self.axes.get(axis, ()))
            for axis, size in enumerate(self.shape)
        )

    @staticmethod
    def _gone(axis: Axis, removed: Mapping[str, int]) -> int:
        """Entries that go with a group's units; those that go with another's as well count there."""
        return removed.get(axis.group, 0) * (axis.entries - axis.common * removed.get(axis.crosses, 0))


@dataclass(frozen=True)
class Costs:
    """What a network costs, as a function of how many units of each group it keeps.

    A tensor keeps the entries whose units are kept along each of its axes, so that its size is a product over its axes:
    exact also where the rows of one layer and the columns of the next overlap. Units of a group cost the same.
    """

    sizes: Mapping[str, int]
    """units of each group"""
    tensors: tuple[Sized, ...]
    products: Mapping[tuple[str, ...], int]
    """multiply-adds of products of activations that each unit of a group takes part in, or each pair of units of two
    that cross"""
    constant: int
    """multiply-adds of such products that no group has a part in, and of operations whose units are not followed"""
    uncounted: tuple[str, ...] = ()
    """operations with a weight whose multiply-adds are not known"""

    def of(self, kept: Kept) -> Cost:
        """The cost of a network that keeps these units only; groups that are left out keep all."""
        removed = {name: self.sizes[name] - _count(units) for name, units in kept.items()}
        sizes = [(tensor, tensor.entries(removed)) for tensor in self.tensors]
        left = {name: size - removed.get(name, 0) for name, size in self.sizes.items()}
        products = sum(prod(left[name] for name in names) * each for names, each in self.products.items())
        return Cost(
            parameters=sum(entries for tensor, entries in sizes if tensor.parameter),
            prunable=sum(entries for tensor, entries in sizes if tensor.prunable),
            multiply_adds=int(sum(entries * tensor.positions for tensor, entries in sizes)) + products + self.constant,
            bytes=sum(entries * tensor.itemsize for tensor, entries in sizes),
            uncounted=self.uncounted,
        )


def _count(units: int | NDArray[np.bool_]) -> int:
    return int(np.sum(units))
