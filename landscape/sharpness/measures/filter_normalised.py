"""Milling et al. (2024): the relative range of the loss over a disc of filter-normalised directions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.sharpness.measure import Invariant, Measure, Measured
from minima.store.command import BadInput

if TYPE_CHECKING:
    from landscape.objective.objective import Objective


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
        import torch

        from landscape.objective.directions import random_direction
        from landscape.objective.streams import stream
        from landscape.spectrum.data_error import mean_error, relative_influence
        from landscape.spectrum.trace import estimate

        values, influences = {}, []
        for pair in range(self.seeds):
            streams = (stream(seed, "filter_normalised", pair, axis) for axis in (0, 1))
            first, second = (random_direction(objective, generator).vector for generator in streams)
            plane = Plane.around(
                lambda a, b, d=first, e=second: objective.loss(a * d + b * e),  # type: ignore[misc]
                self.radius,
                self.grid,
            )
            values[f"pair={pair}"] = plane.relative_range
            extremes = (objective.example_losses(a * first + b * second) for a, b in (plane.highest, plane.lowest))
            influences.append(relative_influence(*extremes))
        mean = estimate(list(values.values()))
        error = mean_error(objective, torch.stack(influences).mean(0), seed)
        return Measured(mean.value, mean.stderr, error, values=values)


@dataclass(frozen=True)
class Plane:
    """A function of two coordinates on a grid."""

    losses: dict[tuple[float, float], float]
    """by coordinates"""
    lowest: tuple[float, float]
    """where it is smallest in the square"""
    highest: tuple[float, float]
    """where it is largest in the disc"""

    @classmethod
    def around(cls, loss: Callable[[float, float], float], radius: float, grid: int) -> Plane:
        """Evaluate it on the square [-radius, radius]^2 with `grid` points a side."""
        half = grid // 2
        steps = range(-half, half + 1)
        nodes = {(i, j): (radius * i / half, radius * j / half) for i in steps for j in steps}
        losses = {at: loss(*at) for at in nodes.values()}
        disc = [at for (i, j), at in nodes.items() if in_disc(i, j, half)]
        return cls(losses, min(losses, key=losses.__getitem__), max(disc, key=losses.__getitem__))

    @property
    def relative_range(self) -> float:
        """100 (max over the disc - min over the square) / (1 + min).

        >>> Plane.around(lambda a, b: 16 * (a**2 + b**2), 0.25, 11).relative_range
        100.0
        """
        lowest = self.losses[self.lowest]
        return 100 * (self.losses[self.highest] - lowest) / (1 + lowest)


def in_disc(i: int, j: int, half: int) -> bool:
    """Whether a node of the grid lies in the disc, by whole numbers.

    >>> sum(in_disc(i, j, 5) for i in range(-5, 6) for j in range(-5, 6))
    81
    """
    return i * i + j * j <= half * half
