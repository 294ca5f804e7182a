"""Fine-tune between two cuts only where accuracy has suffered (ICE-Pruning: Hu et al. 2025)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from minima.store.command import BadInput
from pruning.triggers.trigger import Trigger

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class AccuracyDrop(Trigger):
    """The next cut is made at once if the validation accuracy is less than `threshold` percentage points below that of
    the network the run started from, and else after one epoch, whatever has become of it."""

    threshold: float
    validates: ClassVar[bool] = True
    waits: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.threshold < float("inf"):
            raise BadInput(f"--threshold {self.threshold}: expected percentage points of accuracy, 0 or more")

    def note(self, context: Context, cut: Callable[[], dict[str, Tensor]]) -> list[float]:  # noqa: ARG002
        return [_accuracy(context)]

    def fires(self, context: Context) -> bool:
        if not context.cuts or context.losses:
            return True
        return not needs_training(100 * context.seen[0][0], 100 * _accuracy(context), self.threshold)


def needs_training(before: float, now: float, threshold: float) -> bool:
    """Whether accuracy, in percentage points, has fallen by the threshold or more.

    >>> [needs_training(90.0, now, 1.0) for now in (89.5, 89.0)]
    [False, True]
    """
    return before - now >= threshold


def _accuracy(context: Context) -> float:
    from minima.zoo.examples.evaluation import evaluate

    if context.validation is None:
        raise ValueError("no validation part, though the trigger declares that it needs one")
    return evaluate(context.model, *context.validation).accuracy
