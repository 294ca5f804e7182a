"""How much is exchanged as training goes on."""

from __future__ import annotations

import math
from dataclasses import dataclass

from minima.store.command import BadInput


@dataclass(frozen=True)
class Fraction:
    """The share of the weights that is exchanged: from `first` to `last` along half a cosine, from the beginning to the
    fraction `end` of the run; then `last`.

    f(t) = last + (first - last) (1 + cos(pi t / end)) / 2

    >>> rule = Fraction(0.5, 0.1, end=0.8)
    >>> [round(rule.at(progress), 3) for progress in (0.0, 0.4, 0.8, 1.0)]
    [0.5, 0.3, 0.1, 0.1]
    """

    first: float
    last: float
    end: float

    def __post_init__(self) -> None:
        for flag, value in (("--fraction", self.first), ("--last-fraction", self.last)):
            if not 0 <= value <= 1:
                raise BadInput(f"{flag} {value}: expected the part of a layer's weights to exchange, 0 to 1")

    def at(self, progress: float) -> float:
        """The share that is exchanged after the fraction `progress` of the run."""
        return self.last + (self.first - self.last) * (1 + math.cos(math.pi * min(1.0, progress / self.end))) / 2
