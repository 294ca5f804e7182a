"""The worst loss at a given distance from the weights (Foret et al. 2021, SAM)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.measure import Invariant, Measure, Measured

if TYPE_CHECKING:
    from landscape.ascent import Highest, Neighbourhood
    from landscape.objective import Objective


@dataclass(frozen=True)
class Sam(Measure):
    """max over ||delta||_p <= rho of L(w + delta) - L(w), for p = 2 and infinity; the value is p = 2, middle rho."""

    name: ClassVar[str] = "sam"
    invariant: ClassVar[Invariant] = "none"
    meaning: ClassVar[str] = "worst rise of the loss within a distance rho of the weights"

    rho: tuple[float, ...] = (0.01, 0.05, 0.1)
    """radii for p = 2, ascending"""
    rho_infinity: tuple[float, ...] = (5e-4, 1e-3, 2e-3)
    """radii for p = infinity"""
    m: int | None = None
    """worst case of each batch of m examples by itself, then averaged (default: of all examples together)"""
    restarts: int = 2
    """climbs from random points, beside one from the weights"""
    steps: int = 20
    """gradients of a climb"""

    def measure(self, objective: Objective, seed: int) -> Measured:
        from landscape.ascent import Ball, Box

        around: dict[str, Neighbourhood] = {f"p=2 rho={rho:g}": Ball(rho) for rho in self.rho}
        around |= {f"p=inf rho={rho:g}": Box(rho) for rho in self.rho_infinity}
        found = {setting: self._averaged(objective, place, seed) for setting, place in around.items()}
        middle = f"p=2 rho={sorted(self.rho)[len(self.rho) // 2]:g}"
        return Measured(
            found[middle][0],
            values={setting: rise for setting, (rise, _) in found.items()},
            courses={setting: course for setting, (_, course) in found.items()},
        )

    def _averaged(self, objective: Objective, place: Neighbourhood, seed: int) -> tuple[float, tuple[float, ...]]:
        """The worst rise of each batch, averaged over examples, and its course."""
        total = len(objective.x)
        size = self.m or total
        batches = [(first, min(first + size, total)) for first in range(0, total, size)]
        course = [0.0] * (self.steps + 1)
        for first, last in batches:
            part = objective if len(batches) == 1 else objective.part(first, last)
            worst = self._worst(part, place, seed)
            course = [sum_ + (last - first) / total * rise for sum_, rise in zip(course, worst.course, strict=True)]
        return course[-1], tuple(course)

    def _worst(self, objective: Objective, place: Neighbourhood, seed: int) -> Highest:
        from landscape.ascent import highest
        from landscape.streams import stream

        return highest(
            self.function(objective),
            place,
            restarts=self.restarts,
            steps=self.steps,
            generator=stream(seed, "sam"),
        )
