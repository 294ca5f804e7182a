"""Cuts by another schedule, and after them exchanges at the sparsity that is reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from minima.store.command import BadInput
from pruning.schedules.event import Event, Span

if TYPE_CHECKING:
    from pruning.schedules.schedule import Schedule


@dataclass(frozen=True)
class ThenExchange:
    """After the last of `cuts` an event every `frequency` steps up to the fraction `end` of the run.

    None: a hundredth of the run, but 10 steps where there is room, for what came to be worth keeping.
    """

    cuts: Schedule
    frequency: int | None = None
    end: float = 0.75

    def __post_init__(self) -> None:
        if self.frequency is not None and self.frequency < 1:
            raise BadInput(f"--frequency {self.frequency}: expected at least 1 step between exchanges")
        if not 0 < self.end <= 1:
            raise BadInput(f"--end {self.end}: expected a part of the run, above 0 and at most 1")

    @property
    def gradual(self) -> bool:
        return self.cuts.gradual

    def events(self, span: Span) -> list[Event]:
        """The cuts, and behind the last of them the exchanges, at its sparsity.

        >>> from pruning.schedules.one_shot import OneShot
        >>> [event.step for event in ThenExchange(OneShot(), 25, 0.75).events(Span(0.0, (0.9,), 10, 10))]
        [0, 25, 50, 75]
        """
        cuts = list(self.cuts.events(span))
        last = min(int(self.end * span.steps), span.steps - 1)
        every = self.frequency if self.frequency is not None else max(span.steps // 100, min(10, last), 1)
        if every > last:
            raise BadInput(
                f"--frequency: no exchange every {every} steps fits before --end {self.end:g} of {span.steps} steps; "
                f"give {f'1 to {last}, or ' if last else ''}more --epochs"
            )
        return cuts + [Event(step, span.final) for step in range(cuts[-1].step + every, last + 1, every)]
