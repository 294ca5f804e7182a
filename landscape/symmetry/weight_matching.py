"""Which unit of one network resembles which of another: weight matching.

Ainsworth et al. 2023, "Git Re-Basin: Merging Models modulo Permutation Symmetries": coordinate descent over the groups
of units; with the orders of all others held, the best order of one is a linear assignment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from minima.zoo.anatomy.exchange import Group, Order, exchanged

TRIES = 5
"""random orders of the groups, beside the forward one and a start from the units as they are"""
SMALLEST_GAIN = 1e-9
"""of |A| |B|: below it are rounding errors"""


def match_weights(
    first: Mapping[str, Tensor], second: Mapping[str, Tensor], groups: Sequence[Group], seed: int
) -> list[Order]:
    """The orders of the second network's units for which <A, B> over all parameters is largest, as far as is found.

    Equivalently, for which |A - B| is smallest: no larger than it is without. `first` and `second` are the parameters
    of both. Which local optimum is reached depends on the order of the groups: several are tried, the best is kept.
    """
    draws = np.random.default_rng(seed)
    forward = np.arange(len(groups))
    tries = [_Matching(first, second, groups)]
    for order in [forward, *(draws.permutation(len(groups)) for _ in range(TRIES))]:
        tries.append(_Matching(first, second, groups))
        tries[-1].begin(order)
    for each in tries:
        each.descend(draws)
    return max(tries, key=lambda each: each.similarity()).orders  # the first of equals: the units as they are


class _Matching:
    """One descent, from the units as they are."""

    def __init__(self, first: Mapping[str, Tensor], second: Mapping[str, Tensor], groups: Sequence[Group]) -> None:
        names = dict.fromkeys(name for group in groups for name in group.names if name in first)
        self._first = {name: first[name].double() for name in names}
        self._second = {name: second[name].double() for name in names}
        self._groups = groups
        self.orders = [np.arange(group.size) for group in groups]
        sizes = [sum(float(each.square().sum()) for each in state.values()) for state in (self._first, self._second)]
        self._least = SMALLEST_GAIN * (sizes[0] * sizes[1]) ** 0.5

    def similarity(self) -> float:
        """<A, B> over the parameters that have units."""
        return self._similarity(self._first)

    def begin(self, order: NDArray[np.int64]) -> None:
        """Settle one group after the other, by those of its weights whose other groups are settled already."""
        waiting = set(order.tolist())
        for index in order.tolist():
            waiting.remove(index)
            open_names = {name for other in waiting for name in self._groups[other].names}
            names = [name for name in self._groups[index].names if name in self._first]
            self._take(index, self._best(index, [name for name in names if name not in open_names] or names))

    def descend(self, draws: np.random.Generator) -> None:
        """Take what raises the similarity until nothing does."""
        improved = bool(self._groups)
        while improved:
            improved = False
            for index in draws.permutation(len(self._groups)).tolist():
                names = [name for name in self._groups[index].names if name in self._first]
                before, held = self._similarity(names), (self.orders[index], {n: self._second[n] for n in names})
                self._take(index, self._best(index, names))
                if self._similarity(names) > before + self._least:
                    improved = True
                else:
                    self.orders[index] = held[0]
                    self._second |= held[1]

    def _best(self, index: int, names: Sequence[str]) -> Order:
        """The order of a group's units, as they stand now, that makes the tensors of these names most alike."""
        group = self._groups[index]
        gains = np.zeros((group.size, group.size))
        for (name, axis), places in group.places.items():
            if name in names:
                entries = torch.from_numpy(places.ravel())
                ours, theirs = (
                    state[name].movedim(axis, 0)[entries.to(state[name].device)].reshape(group.size, -1)
                    for state in (self._first, self._second)  # (units, entries of each)
                )
                gains += (ours @ theirs.T).cpu().numpy()
        return linear_sum_assignment(gains, maximize=True)[1]

    def _take(self, index: int, order: Order) -> None:
        self.orders[index] = self.orders[index][order]
        names = [name for name in self._groups[index].names if name in self._second]
        moved = exchanged({name: self._second[name] for name in names}, [self._groups[index]], [order])
        self._second |= moved

    def _similarity(self, names: Sequence[str] | Mapping[str, Tensor]) -> float:
        return sum(float((self._first[name] * self._second[name]).sum()) for name in names)
