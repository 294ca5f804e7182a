"""How much memory derivatives take, told before the first is computed, and of how many examples at once they fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from minima.store.memory import GIB, OVERHEAD, TOLD, require_room

if TYPE_CHECKING:
    from landscape.objective.graphs import Keeper

OF_A_WEIGHT = 60
"""bytes that directions, gradients, products and the check of derivatives hold for each weight at once, all in all"""
OF_A_GRAPH = 2
"""times its size: a graph that is differentiated, and what that makes on the way"""


@dataclass(frozen=True)
class Needs:
    """Bytes that the derivatives of a network take, beside what is kept from one to the next."""

    fixed: float
    """whatever the examples"""
    each: float
    """for each example of a chunk"""

    @classmethod
    def measured(cls, weights: int, saved: Callable[[int], int], examples: int) -> Needs:
        """`saved`: bytes that the graph of the gradient of so many examples saves, of which there are `examples`.

        >>> Needs.measured(0, lambda count: 100 + 10 * count, 5)
        Needs(fixed=200.0, each=20.0)
        """
        one = saved(1)
        each = max(1, saved(2) - one) if examples > 1 else one
        return cls(float(OF_A_WEIGHT * weights + OF_A_GRAPH * (one - each)), float(OF_A_GRAPH * each))

    def of(self, examples: int) -> float:
        """With so many examples at once."""
        return self.fixed + self.each * examples

    def fitting(self, room: float) -> int:
        """How many examples at once so many bytes allow, one at least."""
        return max(1, int((room - self.fixed) // self.each))


class Room:
    """The memory of an objective and all that are made of it: measured once, before the first derivative."""

    def __init__(self) -> None:
        self._needs: Needs | None = None
        self._measured = False
        self._told = 0.0

    def at_once(self, keeper: Keeper, batch_size: int) -> int:
        """`batch_size` examples, or as many as there is room for beside the vectors that are kept."""
        if self._needs is None or not keeper.whole:
            return batch_size
        return min(batch_size, self._needs.fitting(max(keeper.whole, TOLD * GIB) - keeper.vectors - OVERHEAD))

    def before_the_first(self, measure: Callable[[], Needs | None], keeper: Keeper, batch_size: int) -> None:
        """Measure what is needed, say it, and leave room for it beside kept graphs.

        Raises:
            BadInput: there is not enough for a single example, with the amount to type.
        """
        if not keeper.whole:  # nothing is to be kept, and whatever the work takes is right
            return
        if not self._measured:
            self._needs, self._measured = measure(), True
        if self._needs is None:
            return
        work = self._needs.of(self.at_once(keeper, batch_size))
        keeper.make_room(int(work))
        if work + keeper.vectors > self._told:
            self._told = work + keeper.vectors
            kept = f" and {keeper.count} vectors that are kept" if keeper.vectors else ""
            require_room(self._told, keeper.whole / GIB, f"computing derivatives{kept}", "move fewer --parameters")
