"""Loss and score of a network at one level of a perturbation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minima.zoo.examples.evaluation import Evaluation


@dataclass(frozen=True)
class Level:
    """Loss and score of a network at one level of a perturbation: means over draws, with their standard errors."""

    loss: float
    score: float
    loss_stderr: float = math.nan
    """standard error of the mean over draws; NaN of a single draw"""
    score_stderr: float = math.nan
    bit_error: float = math.nan
    """share of a watermark's bits that are read wrong; NaN where the network carries none, or its weights stay"""


class Refused(Exception):
    """A trial does not apply to a network or its inputs: the reason, in words."""


def mean_level(found: Sequence[Evaluation], bit_errors: Sequence[float] = ()) -> Level:
    """The means over draws, with standard errors s / sqrt(n), s the sample's standard deviation.

    >>> from minima.zoo.examples.evaluation import Evaluation
    >>> level = mean_level([Evaluation(1.0, 0.5, 4), Evaluation(3.0, 0.5, 4)])
    >>> level.loss, level.loss_stderr, level.score_stderr
    (2.0, 1.0, 0.0)
    """
    losses, scores = [each.loss for each in found], [each.score for each in found]
    error = _mean(bit_errors) if bit_errors else math.nan
    return Level(_mean(losses), _mean(scores), _stderr(losses), _stderr(scores), error)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _stderr(values: Sequence[float]) -> float:
    if len(values) < 2:
        return math.nan
    mean = _mean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values))
