"""Rounds that each remove the same fraction of what is left."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from minima.store.command import BadInput
from pruning.schedules.rounds import Rounds, up_to


@dataclass(frozen=True)
class Geometric(Rounds):
    """`rounds` cuts; or, with a `fraction` of what is left that a round removes, as many as it takes."""

    rounds: int = 1
    fraction: float | None = None

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise BadInput(f"--rounds {self.rounds}: expected at least 1")
        if self.fraction is not None and not 0 < self.fraction < 1:
            raise BadInput(f"--fraction {self.fraction}: expected a part of what is left, above 0 and below 1")

    def levels(self, initial: float, final: float) -> list[float]:
        if self.fraction is None:
            return geometric(initial, final, self.rounds)
        return by_fraction(initial, final, self.fraction)


def geometric(initial: float, final: float, rounds: int) -> list[float]:
    """Sparsities after each round: each removes r = 1 - ((1 - final) / (1 - initial))^(1/rounds) of what is left.

    (The formula printed in Janusz et al. 2025, (1 - p/n)^n, does not end at the target; this one does exactly.)

    >>> geometric(0.0, 0.875, 3)
    [0.5, 0.75, 0.875]
    """
    ratio = (1 - final) / (1 - initial)
    return [1 - (1 - initial) * ratio ** (done / rounds) for done in range(1, rounds)] + [final]


def by_fraction(initial: float, final: float, fraction: float) -> list[float]:
    """Sparsities after each round if it removes this fraction of what is left, the last one less.

    >>> by_fraction(0.0, 0.8, 0.5)
    [0.5, 0.75, 0.8]
    """
    return up_to(final, (1 - (1 - initial) * (1 - fraction) ** done for done in count(1)))
