"""Gradient ascent on the loss over inputs within an l-infinity ball, and the worst of what was seen on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from minima.zoo.examples.inputs import Inputs
from minima.zoo.examples.spending import spend
from minima.zoo.losses.score import Accuracy, Score
from pruning.robustness.level import Refused
from pruning.robustness.points import Points, inputs_of

if TYPE_CHECKING:
    from torch import nn

    from minima.zoo.examples.task import Task
    from pruning.robustness.scale import Scale


@dataclass(frozen=True)
class Seen:
    """What the network made of some examples at one point each."""

    losses: Tensor
    """(n,) s_i in float64"""
    weights: Tensor | None
    """(n,) w_i; None where each is 1"""
    scores: Tensor
    """(n, width)"""

    def worse(self, other: Seen, score: Score) -> Seen:
        """The larger loss of two for each example, with the score there; an answer counts as right if it always was."""
        higher = other.losses > self.losses
        scores = torch.where(higher[:, None], other.scores, self.scores)
        if isinstance(score, Accuracy):
            right = torch.minimum(self.scores[:, 0], other.scores[:, 0])
            scores = torch.cat([right[:, None], scores[:, 1:]], dim=1)
        return replace(self, losses=torch.maximum(self.losses, other.losses), scores=scores)

    def __add__(self, other: Seen) -> Seen:
        """The examples of both, one after the other."""
        weights = None if self.weights is None or other.weights is None else torch.cat([self.weights, other.weights])
        return Seen(torch.cat([self.losses, other.losses]), weights, torch.cat([self.scores, other.scores]))

    def __getitem__(self, some: slice) -> Seen:
        weights = None if self.weights is None else self.weights[some]
        return Seen(self.losses[some], weights, self.scores[some])


@dataclass(frozen=True)
class Target:
    """A network and the way from inputs to the loss."""

    model: nn.Module
    task: Task
    score: Score
    like: Inputs
    """any inputs, for their structure"""

    def look(self, points: Points, y: Any) -> Seen:
        """What the network makes of these inputs."""
        with torch.no_grad():
            return self._seen(self.task.outputs(self.model, inputs_of(points, self.like)), y)

    def slopes(self, points: Points, y: Any) -> tuple[Seen, Points]:
        """The same, and the gradient of each example's loss by its inputs.

        Raises:
            Refused: the loss does not depend on them in a way that has a gradient.
        """
        at = [leaf.detach().requires_grad_() for leaf in points]
        with torch.enable_grad():
            outputs = self.task.outputs(self.model, inputs_of(at, self.like))
            sums = self.task.terms(outputs, y).sums
            if not sums.requires_grad:
                raise Refused("the loss has no gradient by the inputs")
            found = torch.autograd.grad(sums.sum(), at, allow_unused=True)
        spend(len(points[0]))
        if all(slope is None for slope in found):
            raise Refused("the loss has no gradient by the inputs")
        slopes = [torch.zeros_like(leaf) if slope is None else slope for slope, leaf in zip(found, at, strict=True)]
        with torch.no_grad():
            return self._seen(outputs, y), slopes

    def _seen(self, outputs: Any, y: Any) -> Seen:
        sums, weights = self.task.terms(outputs, y)
        return Seen(sums.detach(), weights, self.score.sums(outputs, y).to(sums).detach())


@dataclass(frozen=True)
class Ball:
    """|u' - u| <= radius for each number u of an input, and u' within the inputs' range."""

    centre: Points
    radius: float
    scale: Scale

    def project(self, points: Points) -> Points:
        """The nearest inputs in the ball."""
        return [
            self.scale.clipped(torch.minimum(torch.maximum(point, middle - width), middle + width))
            for point, middle, width in zip(points, self.centre, self._widths(), strict=True)
        ]

    def from_centre(self, directions: Points) -> Points:
        """Where directions with entries in [-1, 1] lead, 1 being the rim."""
        widths = self._widths()
        moved = [x + width * way for x, width, way in zip(self.centre, widths, directions, strict=True)]
        return self.project(moved)

    def climbed(self, points: Points, slopes: Points, step: float) -> Points:
        """Inputs each number of which moved by `step` uphill, in units of u, then projected."""
        moved = [x + self.scale.times(step, x) * slope.sign() for x, slope in zip(points, slopes, strict=True)]
        return self.project(moved)

    def _widths(self) -> Iterator[Tensor]:
        return (self.scale.times(self.radius, leaf) for leaf in self.centre)


def ascent(target: Target, y: Any, ball: Ball, start: Points, *, steps: int, step: float) -> Iterator[Seen]:
    """What is seen at the start, and after each of the `steps` x <- P(x + step sign(dL_i/dx)) (Madry et al. 2018).

    One step from the centre, as large as the ball, is the fast gradient sign method (Goodfellow et al. 2015).
    """
    points = start
    for _ in range(steps):
        seen, slopes = target.slopes(points, y)
        yield seen
        points = ball.climbed(points, slopes, step)
    yield target.look(points, y)


def level_of(seen: Sequence[Seen], score: Score) -> tuple[float, float]:
    """The loss, sum_i s_i / sum_i w_i in its unit, and the score of all examples, from what was seen of parts."""
    whole = seen[0]
    for each in seen[1:]:
        whole = whole + each
    weight = len(whole.losses) if whole.weights is None else whole.weights.sum().item()
    return whole.losses.sum().item() / weight, score.value(whole.scores.sum(0))
