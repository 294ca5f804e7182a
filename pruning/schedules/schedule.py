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
        """The cuts of a run, laid out before it begins.

        Args:
            span: how long the run is, the sparsity it starts at and those that are asked for.

        Returns:
            events, ascending in step and sparsity, among which is every sparsity that is asked for.

        Raises:
            BadInput: they do not fit into the run, with the flags to change.
        """
