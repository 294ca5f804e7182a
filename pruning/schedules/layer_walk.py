"""A cut for each layer, in the order of the network (ICE-Pruning: Hu et al. 2025)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.schedules.event import Event, Span


@dataclass(frozen=True)
class LayerWalk:
    """Every layer loses the same fraction of what it has left, one after the other; meant for a trigger that waits."""

    gradual: ClassVar[bool] = False

    def events(self, span: Span) -> list[Event]:
        """One cut for each layer before the first step, as `span.walk` lays them out.

        >>> two_layers = Span(0.0, (0.5,), 1, 10, lambda final: [0.75 * final, final])
        >>> [event.sparsity for event in LayerWalk().events(two_layers)]
        [0.375, 0.5]
        """
        return [Event(0, sparsity) for sparsity in span.walk(span.final)]
