"""No cut: the space has one sparsity, from the first step on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from minima.store.command import BadInput
from pruning.schedules.event import Event, Span


@dataclass(frozen=True)
class Fixed:
    """No cuts: training alone, of a network that has its sparsity already.

    >>> Fixed(0.5).events(Span(0.5, (0.5,), 10, 10))
    []
    """

    sparsity: float
    gradual: ClassVar[bool] = False

    def events(self, span: Span) -> list[Event]:
        for asked in span.asked:
            if abs(asked - self.sparsity) > 1e-9:
                raise BadInput(
                    f"--sparsity {asked!r}: the --pattern removes {self.sparsity!r} of the weights, no more and no "
                    f"less; give --sparsity {self.sparsity!r} or another --pattern"
                )
        return []
