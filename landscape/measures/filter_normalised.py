"""Milling et al. (2024): the relative range of the loss over a disc of filter-normalised directions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.measure import Invariant, Measure, Measured
from store.command import BadInput

if TYPE_CHECKING:
    from landscape.objective import Objective


@dataclass(frozen=True)
class FilterNormalised(Measure):
    """100 (max over the disc - min over the square) / (1 + min), averaged over pairs of directions (arXiv 2309.16369).

    Two Gaussian directions, each filter scaled to the norm of its weights, biases and norms left alone; the square is
    [-radius, radius]^2. The minimum is over the square, as in the authors' code.
    """

    name: ClassVar[str] = "filter_normalised"
    invariant: ClassVar[Invariant] = "layer"
    units: ClassVar[str] = "%"
    meaning: ClassVar[str] = "range of the loss near the weights, on filter-normalised planes, in % of 1 + minimum"

    radius: float = 0.25
    """of the disc, in units of the directions"""
    grid: int = 11
    """points along each side of the square, an odd number"""
    seeds: int = 3
    """pairs of directions"""

    def check(self) -> None:
        super().check()
        if self.grid < 3 or self.grid % 2 == 0:
            raise BadInput(f"--filter-normalised.grid {self.grid}: expected an odd number from 3 on")

    def measure(self, objective: Objective, seed: int) -> Measured:
        from landscape.directions import random_direction
        from landscape.streams import stream
        from landscape.trace import estimate

        values = {}
        for pair in range(self.seeds):
            streams = (stream(seed, "filter_normalised", pair, axis) for axis in (0, 1))
            first, second = (random_direction(objective, generator).vector for generator in streams)
            values[f"pair={pair}"] = relative_range(
                lambda a, b, d=first, e=second: objective.loss(a * d + b * e),  # type: ignore[misc]
                self.radius,
                self.grid,
            )
        mean = estimate(list(values.values()))
        return Measured(mean.value, mean.stderr, values=values)


def relative_range(loss: Callable[[float, float], float], radius: float, grid: int) -> float:
    """100 (max over the disc - min over the square) / (1 + min) of a function of two coordinates on a grid.

    >>> relative_range(lambda a, b: 16 * (a**2 + b**2), 0.25, 11)
    100.0
    """
    half = grid // 2
    steps = range(-half, half + 1)
    losses = {(i, j): loss(radius * i / half, radius * j / half) for i in steps for j in steps}
    lowest = min(losses.values())
    disc = [value for (i, j), value in losses.items() if in_disc(i, j, half)]
    return 100 * (max(disc) - lowest) / (1 + lowest)


def in_disc(i: int, j: int, half: int) -> bool:
    """Whether a node of the grid lies in the disc, by whole numbers.

    >>> sum(in_disc(i, j, 5) for i in range(-5, 6) for j in range(-5, 6))
    81
    """
    return i * i + j * j <= half * half
