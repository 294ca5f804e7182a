"""Ways of computing passes, timed against each other on one chunk of examples."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from landscape.passes.pass_plan import PassPlan, threads
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import part_of

if TYPE_CHECKING:
    from landscape.objective.objective import Objective

AGREEMENT = 1e-5
"""relative, of the mean loss"""
REPEATS = 3
"""timings before half of the ways go, of which the shortest counts: what disturbs one only adds to it"""
STRETCH = 64
"""examples that a timing takes at least, if there are so many: what a chunk finds in the caches, the one before left"""
ROUNDING = 1e-7
"""nat: a loss in single precision has no digits below it"""


class Trial:
    """Seconds an example takes at w + displacement, way by way; of several ranks' examples only this one's share."""

    def __init__(self, objective: Objective, displacement: Tensor | None) -> None:
        self._objective = objective
        share = objective.ranks.share(len(objective.x))
        self.x, self._y = part_of(objective.x, share), part_of(objective.y, share)
        self._weights = objective.weights(displacement)
        self._networks: dict[PassPlan, Callable[[Tensor], Any]] = {}
        self._expected: dict[int, float] = {}
        self._until = math.inf

    def allow(self, seconds: float) -> None:
        """Start the clock: all trials that follow have this many seconds together."""
        self._until = time.perf_counter() + seconds

    def fastest(self, plans: Sequence[PassPlan]) -> PassPlan:
        """The fastest plan, by successive halving, of those that agree with the module's own loss; the first is known
        to.

        Those that are still untried when time is up are left out.
        """
        running = [plans[0], *(each for each in plans[1:] if self._in_time() and self._agrees(each))]
        best = dict.fromkeys(running, math.inf)
        while len(running) > 1:
            for plan in running * REPEATS:
                best[plan] = min(best[plan], self.rate(plan))
            running = sorted(running, key=best.__getitem__)[: len(running) // 2 if self._in_time() else 1]
        return running[0]

    def rate(self, plan: PassPlan) -> float:
        """Seconds for an example: of a chunk or several, after another to warm up."""
        if plan not in self._networks:
            self._loss(plan)
        chunks = max(1, min(STRETCH, len(self.x)) // plan.chunk)
        start = time.perf_counter()
        for chunk in range(chunks):
            self._loss(plan, chunk * plan.chunk)
        return (time.perf_counter() - start) / min(chunks * plan.chunk, len(self.x))

    def _in_time(self) -> bool:
        return time.perf_counter() < self._until

    def _agrees(self, plan: PassPlan) -> bool:
        """Whether there is such a way, and its mean loss over a chunk is the module's."""
        if not self._possible(plan):
            return False
        if plan.chunk not in self._expected:
            self._expected[plan.chunk] = self._loss(PassPlan("module", plan.chunk, plan.threads))
        expected, found = self._expected[plan.chunk], self._loss(plan)
        same = math.isclose(found, expected, rel_tol=AGREEMENT, abs_tol=ROUNDING) or not math.isfinite(expected)
        return same and self._possible(plan)  # not given up on the way

    def _possible(self, plan: PassPlan) -> bool:
        with evaluating(self._objective.model), torch.no_grad():
            return self._objective.forward.possible(plan, self._weights, self.x[: plan.chunk])

    def _loss(self, plan: PassPlan, start: int = 0) -> float:
        """Over the chunk that begins there."""
        examples = slice(start, start + plan.chunk)
        x, y = self.x[examples], self._y[examples]
        with evaluating(self._objective.model), torch.no_grad(), threads(plan.threads):
            if plan not in self._networks:
                self._networks[plan] = self._objective.forward.at(self._weights, plan)
            outputs = self._objective.task.picked(self._networks[plan](x))
            return float(self._objective.losses(outputs, y).mean())
