"""Many cuts before the first step, each removing the same fraction of what is left (Tanaka et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from minima.store.command import BadInput
from pruning.schedules.event import Event, Span
from pruning.schedules.geometric import geometric


@dataclass(frozen=True)
class Exponential:
    """Density d^(k / rounds) after the k-th round; scores are computed anew for each, and nothing is trained between.

    >>> [round(event.sparsity, 3) for event in Exponential(3).events(Span(0.0, (0.875,), 10, 5))]
    [0.5, 0.75, 0.875]
    """

    rounds: int
    gradual: ClassVar[bool] = False  # training comes after the last round only

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise BadInput(f"--rounds {self.rounds}: expected at least 1")

    def events(self, span: Span) -> list[Event]:
        return [Event(0, sparsity) for sparsity in geometric(span.initial, span.final, self.rounds)]
