"""Cuts inside training, ever smaller (Zhu & Gupta 2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from minima.store.command import BadInput
from pruning.schedules.event import Event, Span, come_by


@dataclass(frozen=True)
class Cubic:
    """A cut every `frequency` steps (None: a hundredth of the run) between the fractions `begin` and `end` of it."""

    frequency: int | None = None
    begin: float = 0.0
    end: float = 0.75
    gradual: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.begin < self.end <= 1:
            raise BadInput(f"--begin {self.begin} --end {self.end}: expected 0 <= begin < end <= 1 (parts of the run)")
        if self.frequency is not None and self.frequency < 1:
            raise BadInput(f"--frequency {self.frequency}: expected at least 1 step between cuts")

    def events(self, span: Span) -> list[Event]:
        every, first, cuts = self._layout(span)
        targets = [cubic(span.initial, span.final, done / cuts) for done in range(1, cuts)] + [span.final]
        events = [
            Event(first + done * every, target) for done, target in enumerate(come_by(targets, span.asked), start=1)
        ]
        if events[-1].step >= span.steps:
            raise BadInput(
                f"{len(span.asked)} sparsities need {len(events)} cuts, the last after {events[-1].step} of "
                f"{span.steps} steps: give more --epochs, a smaller --frequency, or --each"
            )
        return events

    def _layout(self, span: Span) -> tuple[int, int, int]:
        """Steps between cuts, step from which they are counted, number of cuts."""
        every = self.frequency if self.frequency is not None else max(1, span.steps // 100)
        first = int(self.begin * span.steps)
        room = min(int(self.end * span.steps), span.steps - 1) - first
        if every > room:
            raise BadInput(
                f"--frequency: no cut every {every} steps fits between --begin {self.begin:g} and --end {self.end:g} "
                f"of {span.steps} steps; give 1 to {room}, or more --epochs"
            )
        return every, first, room // every


def cubic(initial: float, final: float, progress: float) -> float:
    """s = s_i + (s_f - s_i) (1 - (1 - t)^3) at the fraction t of the way.

    >>> cubic(0.0, 0.9, 0.5)
    0.7875
    """
    return initial + (final - initial) * (1 - (1 - progress) ** 3)
