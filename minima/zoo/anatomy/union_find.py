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
        self._held: dict[int, tuple[int, str]] = {}
        """root -> `FIXED` or `UNKNOWN`, and why, of classes that are no units"""

    @property
    def count(self) -> int:
        """How many numbers there are."""
        return len(self._parents)

    def new(self, count: int) -> Tensor:
        """Numbers (count,) of units that are not joined to any other yet."""
        start = len(self._parents)
        self._parents += range(start, start + count)
        return torch.arange(start, start + count)

    def join(self, first: Tensor, second: Tensor, why: str = "") -> None:
        """Make one class of each number and the one at the same place of the other tensor, of the same shape.

        Args:
            why: what is kept as the reason where one of both is `FIXED` or `UNKNOWN`.
        """
        for one, other in torch.stack([first.flatten(), second.flatten()], 1).unique(dim=0).tolist():
            if NOTHING in (one, other):
                continue
            low, high = sorted((self._root(one), self._root(other)))
            if low <= UNKNOWN < high:
                self._held.setdefault(high, (low, why))
            elif high > UNKNOWN and low != high:
                self._parents[high] = low
                if high in self._held:
                    self._held.setdefault(low, self._held.pop(high))

    def fix(self, numbers: Tensor, reason: int, why: str = "") -> None:
        """These are no units: because of `reason`, in words `why`."""
        self.join(numbers, torch.full_like(numbers, reason), why)

    def of(self, numbers: Tensor) -> Tensor:
        """The class of each number: equal numbers for equal classes."""
        values, inverse = numbers.unique(return_inverse=True)
        roots = [number if number == NOTHING else self._class(number) for number in values.tolist()]
        return torch.tensor(roots, dtype=torch.int64)[inverse].view(numbers.shape)

    def along(self, numbers: Tensor, axis: int) -> Tensor | None:
        """(n,) the class at each place of an axis; None if it differs along the others. Where there is nothing, so."""
        rows = self.of(numbers).movedim(axis, 0).flatten(1) if numbers.ndim > 1 else self.of(numbers)[:, None]
        highest = rows.amax(1)
        alike = (rows == highest[:, None]) | (rows == NOTHING)
        return highest if bool(alike.all()) else None

    def alike(self, numbers: Tensor, axis: int) -> bool:
        """Whether the class is the same all along an axis, apart from nothing."""
        classes = self.of(numbers)
        return bool(((classes == classes.amax(axis, keepdim=True)) | (classes == NOTHING)).all())

    def why(self, numbers: Tensor) -> list[str]:
        """Why some of these are no units, each reason once."""
        held = (self._held.get(self._root(number)) for number in numbers.unique().tolist() if number != NOTHING)
        return list(dict.fromkeys(reason[1] for reason in held if reason and reason[1]))

    def _class(self, number: int) -> int:
        root = self._root(number)
        return self._held[root][0] if root in self._held else root

    def _root(self, number: int) -> int:
        while self._parents[number] != number:
            self._parents[number] = self._parents[self._parents[number]]
            number = self._parents[number]
        return number
