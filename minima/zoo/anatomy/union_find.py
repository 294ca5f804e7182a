"""Which entries of a network's tensors belong to one unit: a union-find over their numbers."""

from __future__ import annotations

import torch
from torch import Tensor

NOTHING, FIXED, UNKNOWN = -1, 0, 1
"""what is no unit: zeros of padding; an input or an output; what met an operation that is not understood"""


class Classes:
    """Classes of numbers, the units. What joins `FIXED` or `UNKNOWN` is no unit that may move; `NOTHING` joins none.

    >>> classes = Classes()
    >>> first, second = classes.new(2), classes.new(2)
    >>> classes.join(first, second)
    >>> (classes.of(first) == classes.of(second)).all().item()
    True
    """

    def __init__(self) -> None:
        self._parents = [FIXED, UNKNOWN]

    def new(self, count: int) -> Tensor:
        """(count,) numbers of classes of their own."""
        start = len(self._parents)
        self._parents += range(start, start + count)
        return torch.arange(start, start + count)

    def join(self, first: Tensor, second: Tensor) -> None:
        """Make one class of each number and the one at the same place of the other tensor, of the same shape."""
        for one, other in torch.stack([first.flatten(), second.flatten()], 1).unique(dim=0).tolist():
            if NOTHING not in (one, other):
                low, high = sorted((self._root(one), self._root(other)))
                if high > UNKNOWN:
                    self._parents[high] = low

    def fix(self, numbers: Tensor, reason: int) -> None:
        """These are no units: because of `reason`."""
        self.join(numbers, torch.full_like(numbers, reason))

    def of(self, numbers: Tensor) -> Tensor:
        """The class of each number: equal numbers for equal classes."""
        values, inverse = numbers.unique(return_inverse=True)
        roots = [number if number == NOTHING else self._root(number) for number in values.tolist()]
        return torch.tensor(roots, dtype=torch.int64)[inverse].view(numbers.shape)

    def along(self, numbers: Tensor, axis: int) -> Tensor | None:
        """(n,) the class at each place of an axis; None if it differs along the others. Where there is nothing, so."""
        rows = self.of(numbers).movedim(axis, 0).flatten(1) if numbers.ndim > 1 else self.of(numbers)[:, None]
        highest = rows.amax(1)
        alike = (rows == highest[:, None]) | (rows == NOTHING)
        return highest if bool(alike.all()) else None

    def _root(self, number: int) -> int:
        while self._parents[number] != number:
            self._parents[number] = self._parents[self._parents[number]]
            number = self._parents[number]
        return number
