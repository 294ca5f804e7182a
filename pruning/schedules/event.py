"""When to cut and how far: what a schedule is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from minima.store.command import BadInput


@dataclass(frozen=True)
class Span:
    """The run a schedule is laid out for."""

    initial: float
    """sparsity it starts at"""
    asked: tuple[float, ...]
    """sparsities to come by, ascending"""
    epochs: int
    steps_per_epoch: int
    walk: Callable[[float], Sequence[float]] = lambda final: [final]
    """sparsities on the way to a final one if the layers, one after the other, each lose the same part of what they
    have left"""

    @property
    def steps(self) -> int:
        """The number of steps of the whole run."""
        return self.epochs * self.steps_per_epoch

    @property
    def final(self) -> float:
        """The highest sparsity that is asked for."""
        return self.asked[-1]


@dataclass(frozen=True)
class Event:
    """After `step` steps, cut to `sparsity`."""

    step: int
    sparsity: float


def come_by(targets: Sequence[float], asked: Sequence[float]) -> list[float]:
    """Ascending targets, each held back at the first asked sparsity it would pass; those left over follow at the end.

    >>> come_by([0.5, 0.75, 0.875], [0.6, 0.875])
    [0.5, 0.6, 0.875]
    >>> come_by([0.9], [0.5, 0.9])
    [0.5, 0.9]
    """
    pending, held = list(asked), []
    for target in targets:
        held.append(pending.pop(0) if pending and target >= pending[0] else target)
    return held + pending


def share_out(epochs: int, rounds: int) -> list[int]:
    """Epochs of each round: equal, the rest to the last; in a run without training all cuts follow one another.

    >>> share_out(10, 4)
    [2, 2, 2, 4]
    """
    if 0 < epochs < rounds:
        raise BadInput(
            f"{epochs} epochs cannot be shared out over {rounds} cuts: give --epochs {rounds} or more, fewer --rounds, "
            "or --each with several sparsities"
        )
    return [epochs // rounds] * (rounds - 1) + [epochs - epochs // rounds * (rounds - 1)]
