"""Rounds that each remove the same fraction of what is left."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar

from pruning.schedules.event import Event, Span, come_by, share_out
from store.command import BadInput


@dataclass(frozen=True)
class Geometric:
    """`rounds` cuts, the first before any step, then equal numbers of epochs apart."""

    rounds: int
    gradual: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise BadInput(f"--rounds {self.rounds}: expected at least 1")

    def events(self, span: Span) -> list[Event]:
        targets = come_by(geometric(span.initial, span.final, self.rounds), span.asked)
        starts = accumulate(share_out(span.epochs, len(targets))[:-1], initial=0)
        return [Event(start * span.steps_per_epoch, target) for start, target in zip(starts, targets, strict=True)]


def geometric(initial: float, final: float, rounds: int) -> list[float]:
    """Sparsities after each round: each removes r = 1 - ((1 - final) / (1 - initial))^(1/rounds) of what is left.

    (The formula printed in Janusz et al. 2025, (1 - p/n)^n, does not end at the target; this one does exactly.)

    >>> geometric(0.0, 0.875, 3)
    [0.5, 0.75, 0.875]
    """
    ratio = (1 - final) / (1 - initial)
    return [1 - (1 - initial) * ratio ** (done / rounds) for done in range(1, rounds)] + [final]
