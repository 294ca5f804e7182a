"""A cut before the first step, and the rest of the way by another schedule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from minima.store.command import BadInput
from pruning.schedules.event import Event, Span

if TYPE_CHECKING:
    from pruning.schedules.schedule import Schedule


@dataclass(frozen=True)
class SparseStart:
    """Cut to `sparsity` at once; `then` takes it from there."""

    sparsity: float
    then: Schedule

    def __post_init__(self) -> None:
        if not 0 < self.sparsity < 1:
            raise BadInput(
                f"--initial-sparsity {self.sparsity}: expected the sparsity to start at, 0 or more and below 1"
            )

    @property
    def gradual(self) -> bool:
        return self.then.gradual

    def events(self, span: Span) -> list[Event]:
        if span.asked[0] < self.sparsity:
            raise BadInput(
                f"--initial-sparsity {self.sparsity:g} is beyond --sparsity {span.asked[0]:g}: give --initial-sparsity "
                f"{span.asked[0]:g} or less"
            )
        start = max(self.sparsity, span.initial)
        return [Event(0, start), *self.then.events(replace(span, initial=start))]
