"""Rounds: cuts equal numbers of epochs apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, takewhile
from typing import ClassVar

from pruning.schedules.event import Event, Span, come_by, share_out


@dataclass(frozen=True)
class Rounds:
    """Base of the schedules whose first cut comes before any step, and the others equal numbers of epochs apart."""

    gradual: ClassVar[bool] = True

    def levels(self, initial: float, final: float) -> list[float]:
        """Sparsities after each round, ascending; the last is `final`."""
        raise NotImplementedError

    def events(self, span: Span) -> list[Event]:
        targets = come_by(self.levels(span.initial, span.final), span.asked)
        starts = accumulate(share_out(span.epochs, len(targets))[:-1], initial=0)
        return [Event(start * span.steps_per_epoch, target) for start, target in zip(starts, targets, strict=True)]


NEARLY = 0.01
"""a level that leaves at most so much more than the final sparsity, relatively, is the final one"""


def up_to(final: float, levels: Iterable[float]) -> list[float]:
    """The levels as far as the final sparsity, which takes the place of the one that reaches it.

    >>> up_to(0.875, [0.5, 0.75, 0.8749, 0.9375])
    [0.5, 0.75, 0.875]
    """
    return [*takewhile(lambda level: 1 - level > (1 + NEARLY) * (1 - final), levels), final]
