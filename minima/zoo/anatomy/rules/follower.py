"""One call of an operation, and what its rule may find out and settle of the units in its operands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from torch import Tensor

from minima.zoo.anatomy.operations import named
from minima.zoo.anatomy.tape import Value, concrete
from minima.zoo.anatomy.union_find import FIXED, Classes

Numbers = list[Tensor]
"""for each tensor that an operation made, the numbers of its entries' classes"""


@dataclass(frozen=True)
class Alike:
    """Units must in the end be one along axes, for what they meet there is the same for all: else they are fixed."""

    numbers: Tensor
    axes: tuple[int, ...]
    why: str


@dataclass(frozen=True)
class Shared:
    """Queries of attention beside the keys or values that they look at, where several look at the same."""

    queries: Tensor
    """(n,) the number of each query head"""
    keys: Tensor
    """(n,) of the key or value head that it looks at"""
    copies: Tensor
    """(n,) of which copy of it: the rank of the query among those that share"""


@dataclass(frozen=True)
class Demands:
    """What can only be judged when all units are known, gathered over a pass."""

    alike: list[Alike] = field(default_factory=list)
    together: list[Alike] = field(default_factory=list)
    """normalised over: in any order the same, but with one of them gone not"""
    heads: list[Tensor] = field(default_factory=list)
    """numbers of what attention looks through"""
    reads: set[tuple[int, int]] = field(default_factory=set)
    """axes of weights (id, which axis) along which units are read, not made"""
    uses: list[tuple[int, Fraction | int]] = field(default_factory=list)
    """applications of weights: the id, and multiply-adds that each of its entries takes part in for one example"""
    shared: list[Shared] = field(default_factory=list)
    """keys and values that several query heads look at"""
    products: list[tuple[Tensor, int]] = field(default_factory=list)
    """products of two activations: the numbers of their matrices, and multiply-adds of each"""
    constants: list[int] = field(default_factory=list)
    """multiply-adds of operations whose units are not followed"""
    uncounted: list[str] = field(default_factory=list)
    """operations with a weight whose multiply-adds are not known, in words"""

    @property
    def counted(self) -> int:
        """How many operations have said what they take."""
        return len(self.uses) + len(self.products)


@dataclass(frozen=True)
class Follower:
    """One call of an operation, as the rules that follow units through a network see it."""

    classes: Classes
    demands: Demands
    numbers: Mapping[Any, Tensor]
    copies: dict[Any, Tensor] | None
    """activation in which entries were repeated -> numbers of its shape, of the copies; None: all copies are one"""
    axes: Mapping[int, list[Tensor]]
    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    made: list[Value]
    where: str
    """the operation and the module that calls it, in words"""

    def given(self, *names: str) -> dict[str, Any]:
        """Arguments by these names, None where there are none."""
        given = named(names, self.args, self.kwargs)
        return {name: given.get(name) for name in names}

    def on(self, numbers: Any) -> Numbers:
        """What the operation makes of numbers in the place of its first operand."""
        found = self.func(
            numbers, *concrete(self.args[1:]), **{key: concrete(each) for key, each in self.kwargs.items()}
        )
        return [found] if isinstance(found, Tensor) else list(found)

    def of(self, tensor: Any) -> Tensor | None:
        """The numbers in an activation, or in a parameter that has only one axis to speak of."""
        if not hasattr(tensor, "shape"):
            return None
        axes = self.axes.get(id(tensor), [])
        longer = [axis for axis, size in enumerate(tensor.shape) if size > 1]
        if axes and len(longer) <= 1:
            axis = longer[0] if longer else 0
            return axes[axis].view([-1 if place == axis else 1 for place in range(tensor.ndim)])
        return self.numbers.get(tensor)

    def parameter(self, tensor: Any) -> list[Tensor] | None:
        """The numbers along each axis of a parameter."""
        return self.axes.get(id(tensor))

    def units(self, tensor: Tensor, axis: int) -> Tensor | None:
        """(n,) the classes along an axis of an activation, of which one is made where they differ along the others."""
        own = self.of(tensor)
        if own is not None and self.classes.along(own, axis) is None:
            self.gather(own, [other for other in range(own.ndim) if other != axis % own.ndim])
        return None if own is None else self.classes.along(own, axis)

    def one(self, units: Tensor | None, entries: Tensor) -> bool:
        """Make units and the entries along an axis of a parameter one; whether that can be."""
        if units is None or len(units) != len(entries):
            return False
        self.classes.join(units, entries, self.where)
        return True

    def read(self, tensor: Tensor, units: Tensor | None, axis: int) -> bool:
        """Units are read along an axis of a weight; whether they fit."""
        self.demands.reads.add((id(tensor), axis))
        return self.one(units, self.axes[id(tensor)][axis])

    def apply(self, tensor: Tensor, positions: Fraction | int) -> None:
        """Note that a weight is applied at so many positions."""
        self.demands.uses.append((id(tensor), positions))

    def spread(self, units: Tensor, axis: int) -> Numbers | None:
        """Numbers (n,) along an axis of what was made, if it has as many."""
        shape = self.made[0].shape
        if shape[axis] != len(units):
            return None
        along = [1] * len(shape)
        along[axis] = len(units)
        return [units.view(along).expand(shape)]

    def fix(self, numbers: Tensor) -> None:
        """Make these no units that may move, because of this operation."""
        self.classes.fix(numbers, FIXED, self.where)

    def gather(self, numbers: Tensor, axes: Sequence[int]) -> Tensor:
        """Make one class of all entries along axes; it, with these axes of size 1."""
        first = numbers
        for axis in axes:
            first = first.amax(axis, keepdim=True)  # whatever stands there, but no padding where there is more
        self.classes.join(numbers, first.expand(numbers.shape), self.where)
        return first

    def normalise(self, own: Tensor, axes: Sequence[int]) -> Tensor:
        """What is compared with all others along axes, (...) with these of size 1.

        Alone on its other axes, it is the same in any order of the units; units of several such rows (heads) are one.
        """
        axes = [axis % own.ndim for axis in axes]
        if all(self.classes.alike(own, axis) for axis in range(own.ndim) if axis not in axes):
            if not all(self.classes.alike(own, axis) for axis in axes):
                self.demands.together.append(Alike(own, tuple(axes), self.where))
                return own.new_full([1 if axis in axes else size for axis, size in enumerate(own.shape)], FIXED)
            return self.classes.of(own).amax(axes, keepdim=True)
        return self.gather(own, axes)

    def meet(self, own: Tensor, shape: Sequence[int]) -> None:
        """Units met something of the given shape that is no unit: they must be alike where that has a size."""
        sizes = [1] * (own.ndim - len(shape)) + list(shape)
        axes = tuple(axis for axis, size in enumerate(sizes) if size > 1)
        if axes:
            self.demands.alike.append(Alike(own, axes, self.where))

    def demand_alike(self, own: Tensor, axis: int) -> None:
        """Demand that units are one along an axis in the end, or else are fixed."""
        self.demands.alike.append(Alike(own, (axis,), self.where))
