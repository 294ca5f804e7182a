"""The largest loss in a neighbourhood: projected gradient ascent with restarts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from landscape.objective.differentiable import Differentiable

SMALLEST_STEP = 1e-3  # of the radius
SETTLED = 1e-4  # relative improvement over three steps below which a climb ends


class Neighbourhood(Protocol):
    """A convex set around 0, and what a step of ascent is in its geometry."""

    def project(self, displacement: Tensor) -> Tensor:
        """The nearest point of the set."""

    def directions(self, gradient: Tensor) -> tuple[Tensor, ...]:
        """Ways uphill, each as long as the set is wide; first to the point at which gradient . delta is largest."""


@dataclass(frozen=True)
class Ball:
    """Displacements of at most `radius` in the Euclidean norm: ||delta||_2 <= radius."""

    radius: float

    def project(self, displacement: Tensor) -> Tensor:
        """The nearest displacement inside the ball: what lies outside is shrunk to its radius."""
        norm = displacement.norm()
        return displacement if norm <= self.radius else displacement * (self.radius / norm)

    def directions(self, gradient: Tensor) -> tuple[Tensor, ...]:
        """Where a first-order step on the ball leads, radius g / ||g||; zeros where the gradient is zero."""
        norm = gradient.norm()
        return (gradient * (self.radius / norm) if norm > 0 else torch.zeros_like(gradient),)


@dataclass(frozen=True)
class Box:
    """Displacements inside a box around the weights: |delta_i| <= half_widths_i."""

    half_widths: Tensor | float

    def project(self, displacement: Tensor) -> Tensor:
        """The nearest displacement inside the box: each coordinate clipped to its half width."""
        limit = torch.as_tensor(self.half_widths, dtype=displacement.dtype, device=displacement.device)
        return displacement.clamp(-limit, limit)

    def directions(self, gradient: Tensor) -> tuple[Tensor, ...]:
        """The vertex half_widths sign(g); and the gradient in units of the box, which spares settled coordinates."""
        scaled = self.half_widths * gradient
        return self.half_widths * gradient.sign(), self.half_widths * scaled / scaled.abs().max().clamp_min(1e-300)


@dataclass(frozen=True)
class Highest:
    """The largest L(w + delta) - L(w) found, >= 0 since delta = 0 belongs to the set, and how it was come by."""

    rise: float
    displacement: Tensor
    """(d,) where it was found"""
    course: tuple[float, ...]
    """the best rise of all climbs after 0, 1, ... steps"""
    converged: bool
    """whether the climb that found it ended before its steps did"""
    seed_stderr: float | None
    """how much it rests on one climb: the jackknife over climbs of the largest rise; None of a single one"""


def highest(
    function: Differentiable,
    neighbourhood: Neighbourhood,
    *,
    restarts: int,
    steps: int,
    generator: torch.Generator,
) -> Highest:
    """Maximise L(w + delta) - L(w) over a set of delta: one climb from 0, and `restarts` from random points on its rim.

    A climb goes from its best point so far by step x (a direction uphill), projected: at step 2, where it begins, a
    ball's whole diameter, so that at a minimum it is the power iteration and in a box it visits vertices. After a step
    that does not rise the next direction has its turn, and when none is left the step is halved; one that rises is
    doubled up to 2. It ends after `steps` gradients, or when three steps gained less than 1e-4 of the rise.
    """
    origin = torch.zeros_like(function.normal(generator))
    rims = [neighbourhood.directions(function.normal(generator))[0] for _ in range(restarts)]
    base = function.loss()
    climbs = [_climb(function, neighbourhood, start, base, steps) for start in (origin, *rims)]
    padded = [climb.rises + climb.rises[-1:] * (steps + 1 - len(climb.rises)) for climb in climbs]
    course = tuple(max(0.0, *rises) for rises in zip(*padded, strict=True))
    best = max(climbs, key=lambda climb: climb.rises[-1])
    end = best.end if best.rises[-1] > 0 else origin
    return Highest(course[-1], end, course, best.settled, _reliance([climb.rises[-1] for climb in climbs]))


@dataclass(frozen=True)
class _Climb:
    rises: list[float]
    """the best after each step"""
    end: Tensor
    settled: bool
    """whether it ended by itself"""


def _climb(function: Differentiable, neighbourhood: Neighbourhood, start: Tensor, base: float, steps: int) -> _Climb:
    """Uphill from `start`."""
    step, way = 2.0, 0
    point = start
    loss, gradient = function.loss_and_gradient(point)
    rises = [loss - base]
    for _ in range(steps):
        directions = neighbourhood.directions(gradient)
        candidate = neighbourhood.project(point + step * directions[way])
        reached, slope = function.loss_and_gradient(candidate)
        if rose := reached > loss:
            point, loss, gradient, step = candidate, reached, slope, min(2.0, 2 * step)
        else:
            way = (way + 1) % len(directions)
            step = step / 2 if way == 0 else step
        rises.append(loss - base)
        settled = len(rises) > 4 and rises[-1] - rises[-4] <= SETTLED * abs(rises[-1])
        if step < SMALLEST_STEP or (settled and (rose or step < 0.1)) or not gradient.any():
            return _Climb(rises, point, settled=True)
    return _Climb(rises, point, settled=False)


def _reliance(rises: list[float]) -> float | None:
    """The jackknife's standard error of the maximum (at least 0) of k climbs: (k - 1) / k x (best - second best).

    >>> _reliance([3.0, 1.0, 2.0])
    0.6666666666666666
    """
    if len(rises) < 2:
        return None
    second, best = (max(0.0, rise) for rise in sorted(rises)[-2:])
    return (len(rises) - 1) / len(rises) * (best - second)
