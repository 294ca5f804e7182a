"""A large first cut, then small ones (few-shot pruning: Janusz et al. 2025)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from minima.store.command import BadInput
from pruning.schedules.rounds import Rounds, up_to


@dataclass(frozen=True)
class Hybrid(Rounds):
    """The first cut goes to the sparsity `first`; small cut number j removes `step` (1 - step)^(j - 1) of all weights.

    Of all weights, not of those left: the rule of the published code, to which the paper's tables of triples belong.

    >>> len(Hybrid(0.5, 0.01842).levels(0.0, 0.7))
    13
    """

    first: float
    step: float

    def __post_init__(self) -> None:
        if not 0 < self.first < 1:
            raise BadInput(f"--first {self.first}: expected a sparsity above 0 and below 1")
        if not 0 < self.step < 1:
            raise BadInput(f"--step {self.step}: expected a part of all weights, above 0 and below 1")

    def levels(self, initial: float, final: float) -> list[float]:
        if not initial < self.first <= final:
            raise BadInput(
                f"--first {self.first:g}: expected a sparsity above the checkpoint's, {initial:.6g}, and not beyond "
                f"--sparsity {final:g}"
            )
        return up_to(final, (self.first + 1 - (1 - self.step) ** small for small in count()))
