"""How the loss rises under Gaussian noise on the weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from landscape.sharpness.controlled import controlled
from landscape.spectrum.trace import Estimate, estimate

if TYPE_CHECKING:
    from landscape.objective.differentiable import Differentiable
    from landscape.sharpness.leading import Leading

BESIDE = 6
"""draws at a deviation beside the middle one"""


@dataclass(frozen=True)
class Rises:
    """The rises L(w + delta) - L(w) under noise, averaged over examples and over draws."""

    draws: Sequence[float]
    """over the examples: one for each draw of delta"""
    examples: Tensor
    """(N,) over the draws: one for each example"""


def rises(function: Differentiable, deviation: float, pairs: int, generator: torch.Generator) -> Rises:
    """How much the loss rises under Gaussian noise of this standard deviation on each coordinate, drawn `pairs` times.

    Every draw is used with both signs, so that the gradient's part cancels. The same generator gives the same noise,
    scaled by the deviation.
    """
    noise = Noise(function, function.example_losses(), deviation, generator)
    draws = [noise.rise(noise.draw()) for _ in range(pairs)]
    return Rises(draws, noise.examples)


def mean_rises(
    function: Differentiable,
    base: Tensor,
    leading: Leading,
    deviations: Sequence[float],
    worth: int,
    draws: Callable[[], torch.Generator],
) -> tuple[dict[float, Estimate], Tensor]:
    """The mean rise at each standard deviation, as precise as `worth` pairs of draws make it, of as few as will do.

    To second order a pair with the noise s x rises by s^2 x.Hx / 2: held against it is s^2 x.Ax / 2, whose mean is
    known. That holds for the middle deviation; at the others the same x are drawn again, few of them, and held against
    the middle's rises, whose mean is known by then to its error. Also returned: the middle's rise of each example (N,).

    Args:
        base: (N,) what each example has of the loss without noise.
        draws: a generator of the noise, the same each time.
    """
    middle = sorted(deviations)[len(deviations) // 2]
    noise, half = Noise(function, base, middle, draws()), middle**2 / 2
    risen: list[float] = []

    def draw(count: int) -> tuple[list[float], list[float]]:
        drawn = [noise.draw() for _ in range(count)]
        rises = [noise.rise(each) for each in drawn]
        risen.extend(rises)
        return rises, [half * leading.form(each[None]).item() for each in drawn]

    found = {middle: controlled(draw, half * leading.trace, worth)}
    for deviation in deviations:
        if deviation != middle:
            other = Noise(function, base, deviation, draws())
            found[deviation] = _beside(other, risen, found[middle], (deviation / middle) ** 2)
    return {deviation: found[deviation] for deviation in deviations}, noise.examples


def _beside(noise: Noise, risen: Sequence[float], known: Estimate, scale: float) -> Estimate:
    """The mean rise where `scale` times the rises of the same draws elsewhere, `risen`, are much like it."""
    drawn = risen[:BESIDE]
    rises = [noise.rise(noise.draw()) for _ in drawn]
    rest = estimate([rise - scale * other for rise, other in zip(rises, drawn, strict=True)])
    errors = [error for error in (rest.stderr, known.stderr) if error is not None]
    stderr = math.hypot(errors[0], scale * errors[1]) if len(errors) > 1 else None
    return Estimate(rest.value + scale * known.value, stderr, tuple(rises))


class Noise:
    """Draws of Gaussian noise of one standard deviation on each coordinate, and what they make of the loss."""

    def __init__(self, function: Differentiable, base: Tensor, deviation: float, generator: torch.Generator) -> None:
        self.function, self.base, self.deviation, self.generator = function, base, deviation, generator
        self.sum, self.count = base.new_zeros(len(base)), 0

    @property
    def examples(self) -> Tensor:
        """(N,) each example's rise, averaged over the draws."""
        return self.sum / self.count

    def draw(self) -> Tensor:
        """Standard normal coordinates (d,)."""
        return self.function.normal(self.generator)

    def rise(self, drawn: Tensor) -> float:
        """The mean rise under a draw with both signs."""
        noise = self.deviation * drawn
        rise = (self.function.example_losses(noise) + self.function.example_losses(-noise)) / 2 - self.base
        self.sum += rise
        self.count += 1
        return rise.mean().item()
