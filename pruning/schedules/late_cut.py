"""One cut in the midst of training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from minima.store.command import BadInput
from pruning.schedules.event import Event, Span


@dataclass(frozen=True)
class LateCut:
    """After a fraction of the epochs, rounded to a whole one.

    >>> LateCut(0.5).events(Span(0.0, (0.9,), 5, 10))
    [Event(step=20, sparsity=0.9)]
    """

    after: float
    gradual: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 0 <= self.after <= 1:
            raise BadInput(f"--cut-at {self.after}: expected a fraction of the epochs, 0 to 1")

    def events(self, span: Span) -> list[Event]:
        return [Event(round(self.after * span.epochs) * span.steps_per_epoch, sparsity) for sparsity in span.asked]
