"""A chance to cut at the end of each epoch, as far as the target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.schedules.event import Event, Span


@dataclass(frozen=True)
class EveryEpoch:
    """Trigger and selection decide; the engine holds every cut back at the next asked sparsity."""

    gradual: ClassVar[bool] = True

    def events(self, span: Span) -> list[Event]:
        """The end of the run is no chance: nothing could recover."""
        return [Event(epoch * span.steps_per_epoch, span.final) for epoch in range(1, span.epochs)]
