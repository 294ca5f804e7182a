"""Scores: how well outputs do beside their loss, from sums over examples that may come in any chunks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from torch import Tensor


class Score:
    """A number between outputs and targets, higher being better."""

    name: ClassVar[str | None]
    """what it is called; None where there is none"""
    width: ClassVar[int]
    """how many sums it is made of"""

    def sums(self, outputs: Any, targets: Any) -> Tensor:
        """(n, width) in float64: what each example adds to them."""
        raise NotImplementedError

    def value(self, sums: Tensor) -> float:
        """The score of all examples, from the sums (width,) over them; NaN where it has no meaning."""
        raise NotImplementedError


@dataclass(frozen=True)
class Accuracy(Score):
    """The share of counted positions that are right: `right` gives (n,) right and (n,) counted for each example."""

    right: Callable[[Any, Any], tuple[Tensor, Tensor]]
    name: ClassVar[str | None] = "accuracy"
    width: ClassVar[int] = 2

    def sums(self, outputs: Any, targets: Any) -> Tensor:
        """(n, 2) right and counted positions."""
        import torch

        return torch.stack([each.double() for each in self.right(outputs, targets)], dim=1)

    def value(self, sums: Tensor) -> float:
        """The fraction of right predictions among those that count; NaN where none counts."""
        right, counted = sums.tolist()
        return right / counted if counted else math.nan


@dataclass(frozen=True)
class Determination(Score):
    """R^2 = 1 - sum (z - y)^2 / sum (y - mean of that output)^2: the share of the targets' spread that is explained."""

    spread: float
    """sum (y - mean)^2 over all examples and outputs"""
    name: ClassVar[str | None] = "r2"
    width: ClassVar[int] = 1

    def sums(self, outputs: Any, targets: Any) -> Tensor:
        """The squared errors of each example (n, 1)."""
        squares = (outputs.double() - targets.double().reshape(outputs.shape)).square()
        return squares.reshape(len(outputs), -1).sum(1, keepdim=True)

    def value(self, sums: Tensor) -> float:
        """R^2: 1 less the share of the spread that is left unexplained."""
        return 1 - sums.item() / self.spread if self.spread else math.nan


@dataclass(frozen=True)
class NoScore(Score):
    """No score: the loss has none beside it."""

    name: ClassVar[str | None] = None
    width: ClassVar[int] = 0

    def sums(self, outputs: Any, targets: Any) -> Tensor:
        """No sums at all, (n, 0)."""
        import torch

        return torch.zeros(len(targets), 0, dtype=torch.float64)

    def value(self, sums: Tensor) -> float:
        """Always NaN, since there is no score."""
        return math.nan


@dataclass(frozen=True)
class OwnScore(Score):
    """The user's: the mean over the examples of `function(outputs, targets)`, (n,) or one number for the chunk."""

    function: Callable[[Any, Any], Any]
    name: ClassVar[str | None] = "score"
    width: ClassVar[int] = 2

    def sums(self, outputs: Any, targets: Any) -> Tensor:
        """(n, 2): each example's score, and 1."""
        import torch

        found = torch.as_tensor(self.function(outputs, targets)).double()
        count = len(targets)
        return torch.stack([found.expand(count), torch.ones(count, dtype=torch.float64, device=found.device)], dim=1)

    def value(self, sums: Tensor) -> float:
        """The mean of the score over the examples; NaN of none."""
        total, count = sums.tolist()
        return total / count if count else math.nan
