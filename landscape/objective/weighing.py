"""How much each example counts in a mean loss: L = sum_i s_i / sum_i w_i."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from landscape.objective.graphs import Chunk
    from minima.zoo.examples.task import Task


@dataclass(frozen=True)
class Weighing:
    """The weights of some examples, and what sums over them are divided by."""

    count: int
    """n, how many examples"""
    weights: Tensor | None = None
    """(n,) w_i in float64; None where each is 1"""
    total: float = 0.0
    """sum_i w_i, unless the examples are a sample of others"""

    @staticmethod
    def of(count: int, weights: Tensor | None) -> Weighing:
        """The weighing of all examples that there are."""
        return Weighing(count, weights, float(count) if weights is None else weights.sum().item())

    def some(self, examples: slice | Tensor, count: int) -> Weighing:
        """The weighing of `count` of the examples by themselves: their mean is over their own weights."""
        return Weighing.of(count, None if self.weights is None else self.weights[examples])

    def sample(self, examples: slice | Tensor, count: int) -> Weighing:
        """The weighing of `count` of the examples that stand for all of them: their sums are N / n of what they have of
        the whole.
        """
        weights = None if self.weights is None else self.weights[examples]
        return Weighing(count, weights, count * self.total / self.count)

    def mean(self, sums: Tensor) -> Tensor:
        """Sums over the examples -> means by weight, in place; 0 where no example has any."""
        return sums.div_(self.total) if self.total else sums

    def each(self, sums: Tensor) -> Tensor:
        """(n,) s_i -> what each example has of the mean: N s_i / sum_i w_i, of which L is the plain mean."""
        return sums * (self.count / self.total) if self.total else sums


def weigh(task: Task, outputs: Any, y: Any, passes: Iterable[Chunk]) -> Tensor | None:
    """(N,) w_i of examples with the targets y (N, ...); None where each is 1.

    `outputs`: of a few examples; `passes`: over this rank's examples, for a loss whose weights only outputs tell, those
    of the others then being 0.
    """
    if not task.needs_pass:
        return task.loss.weights(outputs, y)
    weights = torch.zeros(len(y), dtype=torch.float64, device=y.device)
    for chunk in passes:
        terms = task.terms(chunk.outputs, y[chunk.examples])
        weights[chunk.examples] = torch.ones_like(terms.sums) if terms.weights is None else terms.weights
    return weights
