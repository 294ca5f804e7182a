"""The columns of one weight that the units of a group are read by: what they read, and constants taken out of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from minima.zoo.anatomy.unit_groups import UnitGroup
from pruning.shrink.constants import Reading


@dataclass(frozen=True)
class Columns:
    """What a weight does with the units of a group."""

    name: str
    axis: int
    """of the columns"""
    places: Tensor
    """(units, k) the entries of each unit along that axis"""
    reading: Reading | None
    """None where it cannot be said what is read"""

    def used(self, weight: Tensor) -> Tensor:
        """(units,) whether any weight of a unit is not zero."""
        others = weight.movedim(self.axis, 0).flatten(1).ne(0).any(1)
        return others[self.places].any(1)

    def constant(self) -> Tensor:
        """(units,) whether what is read of a unit is constant."""
        if self.reading is None:
            return torch.zeros(len(self.places), dtype=torch.bool)
        return self._of_groups(self.reading.constant).all(2).all(1)

    def values(self) -> Tensor:
        """(units, k, groups) the constants."""
        assert self.reading is not None
        return self._of_groups(self.reading.values)

    def zero(self) -> Tensor:
        """(units,) whether these constants are zero."""
        if self.reading is None:
            return torch.zeros(len(self.places), dtype=torch.bool)
        return (self.values() == 0).all(2).all(1)

    def mergeable(self) -> bool:
        """Whether a constant can go into the weights of another."""
        return self.reading is not None and self.reading.groups == 1

    def shift(self, weight: Tensor, units: Tensor) -> Tensor:
        """(rows,) what the constants of these units, a list of places, add to what the weight makes."""
        assert self.reading is not None
        rows = weight.movedim(self.axis, 0)[self.places[units].flatten()]
        rows = rows.reshape(*rows.shape[:2], -1).sum(2)  # (units * k, rows)
        values = self.values()[units].flatten(0, 1)  # (units * k, groups)
        groups = values.shape[1]
        return (rows.view(len(rows), groups, -1) * values[:, :, None]).sum(0).flatten()

    def merge(self, weight: Tensor, units: Tensor, into: int) -> None:
        """Add these units' weights to those of another constant, in proportion to the constants."""
        values = self.values()[:, :, 0]
        moved = weight.movedim(self.axis, 0)
        for place in range(self.places.shape[1]):
            shares = values[units, place] / values[into, place]
            moved[self.places[into, place]] += torch.tensordot(shares, moved[self.places[units, place]], 1)

    def clear(self, weight: Tensor, units: Tensor) -> None:
        """Zero the weights that read these units: nothing reads them any more."""
        weight.movedim(self.axis, 0)[self.places[units].flatten()] = 0

    def _of_groups(self, entries: Tensor) -> Tensor:
        """(units, k, groups) of what belongs to each column of each group of a convolution."""
        assert self.reading is not None
        return entries.view(self.reading.groups, -1)[:, self.places].movedim(0, 2)


def columns_of(group: UnitGroup, found: dict[str, list[Reading]], tied: set[str]) -> list[Columns]:
    """The weights that read a group; what one reads that is applied several times cannot be said.

    Args:
        tied: names of weights that are another's as well.
    """
    columns = []
    for (name, axis), places in group.read.items():
        own = found.get(name, [])
        known = own[0] if len(own) == 1 and name not in tied else None
        columns.append(Columns(name, axis, torch.from_numpy(places), known))
    return columns


def bias_of(model: nn.Module, name: str) -> Tensor | None:
    """What is added to what a weight makes, if that is a parameter beside it."""
    path, _, last = name.rpartition(".")
    if last != "weight":
        return None
    bias = model.get_submodule(path)._parameters.get("bias")
    return bias if bias is None or bias.ndim == 1 else None
