"""What a trial is: a frozen dataclass of parameters that perturbs a network or its inputs at several levels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar

from minima.store.command import BadInput
from minima.store.registry import members

if TYPE_CHECKING:
    from minima.zoo.examples.evaluation import Evaluation
    from pruning.robustness.bench import Bench


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


@dataclass(frozen=True)
class Trial:
    """Base of the members of pruning/robustness/trials. Its fields are its flags and are stored beside its numbers."""

    name: ClassVar[str]
    meaning: ClassVar[str]
    """what is done, in a line of the table"""
    strength: ClassVar[str]
    """what a level is: the label of the figure's axis"""
    clean: ClassVar[float] = 0.0
    """the level at which nothing is changed, which is always measured"""

    levels: tuple[float, ...] = ()
    """strengths"""

    def measure(self, bench: Bench, levels: Sequence[float], seed: int) -> list[Level]:
        """The network at each of these levels, which grow stronger, its draws from `seed`.

        Raises:
            Refused: the trial does not apply to this network or its inputs.
        """
        raise NotImplementedError

    def all_levels(self) -> list[float]:
        """The levels in order of strength, the clean one first.

        Raises:
            BadInput: there is none, or one that means nothing.
        """
        rest = sorted({*self.levels} - {self.clean}, reverse=self.clean > 0)
        if not rest or not all(self.allows(level) for level in rest):
            typed = " ".join(f"{level:g}" for level in self.levels)
            such = " ".join(f"{level:g}" for level in type(self)().levels)
            raise BadInput(f"--{self.flag}.levels {typed}: expected numbers ({self.strength}), such as {such}")
        return [self.clean, *rest]

    def allows(self, level: float) -> bool:
        """Whether a level means something."""
        return 0 < level < math.inf

    def check(self) -> None:
        """Refuse parameters that mean nothing, before any work."""
        self.all_levels()
        for parameter in fields(self):
            value = getattr(self, parameter.name)
            if type(value) in (int, float) and not 0 < value < math.inf:
                flag = f"--{self.flag}.{parameter.name.replace('_', '-')}"
                raise BadInput(f"{flag} {value}: expected a positive number")

    @property
    def flag(self) -> str:
        """The name as it is typed before a parameter: --weight-noise.draws."""
        return self.name.replace("_", "-")


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


def trials() -> dict[str, type[Trial]]:
    """Every trial by its name."""
    return members("pruning.robustness.trials", Trial)
