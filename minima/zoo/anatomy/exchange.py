"""Units of a network that may trade places without changing what it computes, and the network after they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Order = NDArray[np.int64]
"""(units,) which unit stands at each place"""


@dataclass(frozen=True, eq=False)
class Group:
    """Units treated alike, on the same axes of the same tensors: one order of them is as good as another."""

    places: Mapping[tuple[str, int], NDArray[np.int64]]
    """for each axis of a parameter or buffer (its name and which axis): (units, k) the k entries that each has there"""

    @property
    def size(self) -> int:
        """The number of units in the group."""
        return len(next(iter(self.places.values())))

    @property
    def names(self) -> list[str]:
        """The tensors they have entries in."""
        return list(dict.fromkeys(name for name, _ in self.places))


def exchanged(tensors: Mapping[str, Tensor], groups: Sequence[Group], orders: Sequence[Order]) -> dict[str, Tensor]:
    """The tensors with unit `order[i]` of each group in place of its unit i; those of other names as they are.

    >>> group = Group({("w", 0): np.array([[0], [1]]), ("v", 1): np.array([[0, 1], [2, 3]])})
    >>> tensors = {"w": torch.tensor([[1.0], [2.0]]), "v": torch.tensor([[1.0, 2.0, 3.0, 4.0]])}
    >>> exchanged(tensors, [group], [np.array([1, 0])])
    {'w': tensor([[2.],
            [1.]]), 'v': tensor([[3., 4., 1., 2.]])}
    """
    found = dict(tensors)
    for group, order in zip(groups, orders, strict=True):
        for (name, axis), places in group.places.items():
            if name in found:
                source = np.arange(found[name].shape[axis])
                source[places] = places[order]
                found[name] = found[name].index_select(axis, torch.from_numpy(source).to(found[name].device))
    return found
