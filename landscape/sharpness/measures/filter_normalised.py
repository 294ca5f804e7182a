"""Milling et al. (2024): the relative range of the loss over a disc of filter-normalised directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.sharpness.measure import Invariant, Measure, Measured
from minima.store.command import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from landscape.objective.objective import Objective


Node = tuple[int, int]


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
    by_losses: ClassVar[bool] = True

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

    @property
    def passes(self) -> float:
        return 0.08 * self.grid**2 * self.seeds

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
            plane = Plane(objective, (first, second), self.radius, self.grid // 2)
            top, bottom = (plane.losses(node) for node in plane.extremes(seed))
            values[f"pair={pair}"] = relative_range(top.mean().item(), bottom.mean().item())
            influences.append(relative_influence(top, bottom))
        mean = estimate(list(values.values()))
        error = mean_error(objective, torch.stack(influences).mean(0), seed)
        return Measured(mean.value, mean.stderr, error, values=values)


class Plane:
    """A square grid of points around the weights; nodes are counted from its middle."""

    def __init__(self, objective: Objective, directions: tuple[Tensor, Tensor], radius: float, half: int) -> None:
        """`radius` of the square and of the disc in it, in units of the directions (d,); `half`: nodes to its edge."""
        self.objective, self.directions, self.step, self.half = objective, directions, radius / half, half

    def displacement(self, node: Node) -> Tensor:
        """(d,) where a node lies."""
        return self.step * node[0] * self.directions[0] + self.step * node[1] * self.directions[1]

    def losses(self, node: Node) -> Tensor:
        """(N,) what each example has of the loss at a node."""
        from landscape.sharpness.centre import losses_at

        return self.objective.example_losses(self.displacement(node)) if any(node) else losses_at(self.objective)

    def extremes(self, seed: int) -> tuple[Node, Node]:
        """Where the loss is largest in the disc, and where it is smallest in the square.

        The middle and the ends of both axes tell which examples make the difference; on these, and a sample of the
        others, most nodes are ruled out (see `racing`).
        """
        from landscape.sharpness.racing import Race

        half, steps = self.half, range(-self.half, self.half + 1)
        square = [(i, j) for i in steps for j in steps]

        def some(rows: Tensor) -> Callable[[Node], Tensor]:
            part = self.objective.sample(rows)
            return lambda node: part.example_losses(self.displacement(node))

        race = Race(self.losses, some, [(0, 0), (half, 0), (-half, 0), (0, half), (0, -half)], seed)
        return race.lowest([node for node in square if in_disc(*node, half)], -1), race.lowest(square)


def relative_range(highest: float, lowest: float) -> float:
    """100 (max - min) / (1 + min).

    >>> relative_range(2.0, 1.0)
    50.0
    """
    return 100 * (highest - lowest) / (1 + lowest)


def in_disc(i: int, j: int, half: int) -> bool:
    """Whether a node of the grid lies in the disc, by whole numbers.

    >>> sum(in_disc(i, j, 5) for i in range(-5, 6) for j in range(-5, 6))
    81
    """
    return i * i + j * j <= half * half
