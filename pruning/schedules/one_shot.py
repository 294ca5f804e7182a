"""One cut, before any step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.schedules.event import Event, Span


@dataclass(frozen=True)
class OneShot:
    """A single cut that removes everything at once."""

    gradual: ClassVar[bool] = False

    def events(self, span: Span) -> list[Event]:
        return [Event(0, sparsity) for sparsity in span.asked]
