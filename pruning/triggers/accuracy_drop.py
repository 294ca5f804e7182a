"""Fine-tune between two cuts only where the score has suffered (ICE-Pruning: Hu et al. 2025)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from minima.store.command import BadInput
from minima.zoo.examples.evaluation import evaluate
from pruning.triggers.trigger import Trigger

if TYPE_CHECKING:
    from torch import Tensor

    from minima.zoo.examples.evaluation import Evaluation
    from pruning.context.context import Context


@dataclass(frozen=True)
class AccuracyDrop(Trigger):
    """The next cut is made at once if the validation accuracy is less than `threshold` percentage points below that of
    the network the run started from, and else after one epoch, whatever has become of it.

    Of another loss its score stands for accuracy, R^2 in hundredths; where there is none, the validation loss may rise
    by less than `threshold` percent."""

    threshold: float
    validates: ClassVar[bool] = True
    waits: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.threshold < float("inf"):
            raise BadInput(f"--threshold {self.threshold}: expected percentage points of accuracy, 0 or more")

    def note(self, context: Context, cut: Callable[[], dict[str, Tensor]]) -> list[float]:  # noqa: ARG002
        return [_quality(context)]

    def fires(self, context: Context) -> bool:
        if not context.cuts or context.losses:
            return True
        before, now = context.seen[0][0], _quality(context)
        whole = 1.0 if _scored(context) else abs(before) or 1.0
        return not needs_training(100 * before / whole, 100 * now / whole, self.threshold)


def needs_training(before: float, now: float, threshold: float) -> bool:
    """Whether accuracy, in percentage points, has fallen by the threshold or more.

    >>> [needs_training(90.0, now, 1.0) for now in (89.5, 89.0)]
    [False, True]
    """
    return before - now >= threshold


def _scored(context: Context) -> bool:
    """Whether the loss has a score beside it that says something of these targets."""
    return math.isfinite(_level(context).score)


def _quality(context: Context) -> float:
    """The score; where there is none, the loss below zero."""
    level = _level(context)
    return level.score if math.isfinite(level.score) else -level.loss


def _level(context: Context) -> Evaluation:
    if context.validation is None:
        raise ValueError("no validation part, though the trigger declares that it needs one")
    return evaluate(context.model, *context.validation, task=context.task)
