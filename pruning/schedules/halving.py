"""Cuts that each halve what is left of the way (Verdenius et al. 2020, SNIP-it)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from minima.store.command import BadInput
from pruning.schedules.event import Event, Span, come_by


@dataclass(frozen=True)
class Halving:
    """Several cuts before the first step, each halving what is left of the way; scores are computed anew for each."""

    steps: int
    gradual: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise BadInput(f"--steps {self.steps}: expected 0 halvings or more")

    def events(self, span: Span) -> list[Event]:
        return [Event(0, sparsity) for sparsity in halving(span.final, self.steps)]


@dataclass(frozen=True)
class HalvingInTraining:
    """Several such cuts in training, one every `every` epochs (None: a twentieth of the run), counted from `delay`
    epochs on (None: as `every`).
    """

    steps: int
    every: int | None = None
    delay: int | None = None
    gradual: ClassVar[bool] = True

    def __post_init__(self) -> None:
        Halving(self.steps)
        if self.every is not None and self.every < 1:
            raise BadInput(f"--every {self.every}: expected 1 epoch or more between cuts")
        if self.delay is not None and self.delay < 0:
            raise BadInput(f"--delay {self.delay}: expected 0 epochs or more before the cuts begin")

    def events(self, span: Span) -> list[Event]:
        targets = come_by(halving(span.final, self.steps), span.asked)
        every = max(1, span.epochs // 20) if self.every is None else self.every
        delay = every if self.delay is None else self.delay
        last = delay + every * len(targets)
        if last >= span.epochs:
            raise BadInput(
                f"{len(targets)} cuts every {every} epochs after the first {delay} need more than {last} epochs, and "
                f"the run has {span.epochs}: give --epochs {last + 1} or more, or smaller --every, --delay or --steps"
            )
        return [
            Event((delay + every * cut) * span.steps_per_epoch, target) for cut, target in enumerate(targets, start=1)
        ]


def halving(final: float, steps: int) -> Sequence[float]:
    """final - (final - 1/2) / 2^i for i = 0 .. steps, then `final`.

    Raises:
        BadInput: the first cut, to a half, would go beyond `final`.

    >>> [round(sparsity, 4) for sparsity in halving(0.98, 5)]
    [0.5, 0.74, 0.86, 0.92, 0.95, 0.965, 0.98]
    """
    if final < 0.5:
        raise BadInput(
            f"{final:g} is too little: the first cut of this method removes half already; expected 0.5 or more.\n"
            "Less goes in one cut: single weights with snip, whole units with filters --criterion gate"
        )
    return [*(final - (final - 0.5) * 0.5**step for step in range(steps + 1)), final]
