"""How weights are trained: optimiser and learning-rate rule, as flags and as what a checkpoint stores."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from minima.store.command import BadInput


def require(flag: str, found: float, fits: bool, expected: str) -> None:
    """BadInput that names the flag, what was found and what was expected, unless it `fits`."""
    if not fits:
        raise BadInput(f"{flag} {found}: expected {expected}")


@dataclass(frozen=True)
class Recipe:
    """The optimiser and the rule of its learning rate."""

    optimiser: Literal["sgd", "adam"] = "sgd"
    """stochastic gradient descent, or Adam"""
    lr: float = 0.1
    """learning rate at the start"""
    momentum: float = 0.9
    """momentum of sgd; of adam, the share of the past in its mean gradient (beta 1)"""
    nesterov: bool = False
    """Nesterov's momentum (sgd only)"""
    weight_decay: float = 1e-4
    """L2 penalty added to the gradient"""
    batch_size: int = 100
    """examples that a step of the optimiser takes"""
    schedule: Literal["constant", "step", "cosine", "linear", "plateau"] = "constant"
    """how the learning rate changes over the epochs of the run. constant: not at all; step: it falls at --milestones;
    cosine, linear: it falls to --last along half a cosine or a line; plateau: it falls when the validation loss does
    not"""
    warm_up: float = 0.0
    """fraction of the run over which the rate first rises from 0, along a cosine"""
    last: float = 0.0
    """with --schedule cosine or linear: the rate at the end"""
    milestones: tuple[float, ...] = (0.5, 0.75)
    """with --schedule step: fractions of the run after which the rate is multiplied by --gamma"""
    gamma: float = 0.1
    """with --schedule step or plateau: what the rate is multiplied by when it falls"""
    patience: int = 10
    """with --schedule plateau: epochs in a row without a lower validation loss before the rate falls"""

    def check(self) -> None:
        """BadInput for a value that no training can use; before any work.

        >>> Recipe(momentum=2).check()
        Traceback (most recent call last):
        minima.store.messages.BadInput: --momentum 2: expected at least 0 and below 1
        """
        require("--lr", self.lr, 0 <= self.lr < math.inf, "a finite number, 0 or more")
        require("--momentum", self.momentum, 0 <= self.momentum < 1, "at least 0 and below 1")
        require("--weight-decay", self.weight_decay, 0 <= self.weight_decay < math.inf, "a finite number, 0 or more")
        require("--batch-size", self.batch_size, self.batch_size >= 1, "at least 1")
        for milestone in self.milestones:
            require("--milestones", milestone, 0 <= milestone <= 1, "fractions of the run, from 0 to 1")
        require("--warm-up", self.warm_up, 0 <= self.warm_up < 1, "a fraction of the run, at least 0 and below 1")
        require("--last", self.last, 0 <= self.last < math.inf, "a finite number, 0 or more")
        require("--gamma", self.gamma, 0 < self.gamma < 1, "above 0 and below 1: a factor by which the rate falls")
        require("--patience", self.patience, self.patience >= 0, "0 epochs or more")

    def rate(self, progress: float) -> float:
        """Learning rate after the fraction `progress` of the run (the plateau rule scales it further).

        The rule is laid out over what the warm-up leaves of the run.

        >>> Recipe(lr=1.0, schedule="step").rate(0.6), Recipe(lr=1.0, schedule="cosine").rate(0.5)
        (0.1, 0.5)
        >>> warm = Recipe(lr=1.0, schedule="linear", warm_up=0.2, last=0.5)
        >>> [warm.rate(progress) for progress in (0.0, 0.1, 0.2, 0.6, 1.0)]
        [0.0, 0.5, 1.0, 0.75, 0.5]
        """
        if progress < self.warm_up:
            return self.lr * (1 - _half_cosine(progress / self.warm_up))
        return self._rule((progress - self.warm_up) / (1 - self.warm_up))

    def _rule(self, progress: float) -> float:
        if self.schedule == "step":
            return self.lr * self.gamma ** sum(progress >= milestone for milestone in self.milestones)
        if self.schedule == "cosine":
            return self.last + (self.lr - self.last) * _half_cosine(progress)
        if self.schedule == "linear":
            return self.last + (self.lr - self.last) * max(0.0, 1 - progress)
        return self.lr


def _half_cosine(progress: float) -> float:
    """From 1 to 0."""
    return round((1 + math.cos(math.pi * min(progress, 1.0))) / 2, 15)
