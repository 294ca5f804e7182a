"""What a schedule is: when to cut, and to which sparsity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pruning.schedules.event import Event, Span


class Schedule(Protocol):
    """When to cut, and to which sparsity."""

    @property
    def gradual(self) -> bool:
        """Whether lower sparsities lie on the way to higher ones."""

    def events(self, span: Span) -> Sequence[Event]:
        """Ascending in step and sparsity, and no asked sparsity is passed over."""
