"""Rounds that each remove the same number of weights."""

from __future__ import annotations

from dataclasses import dataclass

from minima.store.command import BadInput
from pruning.schedules.rounds import Rounds


@dataclass(frozen=True)
class Constant(Rounds):
    """A schedule of `rounds` equal cuts (Janusz et al. 2025).

    >>> Constant(4).levels(0.0, 0.8)
    [0.2, 0.4, 0.6, 0.8]
    """

    rounds: int

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise BadInput(f"--rounds {self.rounds}: expected at least 1")

    def levels(self, initial: float, final: float) -> list[float]:
        even = [initial + (final - initial) * done / self.rounds for done in range(1, self.rounds)]
        return [*(round(level, 12) for level in even), final]
