"""The worst loss at a given distance from the weights (Foret et al. 2021, SAM)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.sharpness.measure import Invariant, Measure, Measured, vectors_of_climbs

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.objective.objective import Objective


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
    """climbs from random points, on some of the examples, beside one along the gradient"""
    steps: int = 20
    """gradients of a climb"""

    @property
    def passes(self) -> float:
        return 0.4 * self.steps * (len(self.rho) + len(self.rho_infinity))

    @property
    def vectors(self) -> int:
        return vectors_of_climbs(self.restarts, len(self.rho) + len(self.rho_infinity))

    def measure(self, objective: Objective, seed: int) -> Measured:
        from landscape.spectrum.data_error import mean_error

        euclidean = [f"p=2 rho={rho:g}" for rho in self.rho]
        cubic = [f"p=inf rho={rho:g}" for rho in self.rho_infinity]
        value = f"p=2 rho={sorted(self.rho)[len(self.rho) // 2]:g}"
        each = [self._of(part, seed, value) for part in self._batches(objective)]
        found = {setting: _mean([batch[setting] for batch in each]) for setting in (*euclidean, *cubic)}
        middle = found[value]
        return Measured(
            middle.course[-1],
            data_stderr_new=mean_error(objective, middle.rises, seed),
            seed_stderr=middle.seed_stderr,
            values={setting: worst.course[-1] for setting, worst in found.items()},
            convergence={"converged": middle.converged},
            settled={setting: worst.converged for setting, worst in found.items()},
            courses={setting: worst.course for setting, worst in found.items()},
        )

    def _batches(self, objective: Objective) -> list[Objective]:
        """What has a worst case of its own."""
        total = len(objective.x)
        if self.m is None or self.m >= total:
            return [objective]
        return [objective.part(first, first + self.m) for first in range(0, total, self.m)]

    def _of(self, objective: Objective, seed: int, value: str) -> dict[str, _Worst]:
        """The worst rise in each neighbourhood, with what the examples have of the one that is the value."""
        from landscape.objective.streams import stream
        from landscape.sharpness.ascent import Highest, highest
        from landscape.sharpness.centre import losses_at
        from landscape.sharpness.neighbourhoods import Ball, Box, Neighbourhood
        from landscape.sharpness.scouting import some_of

        function, some = self.function(objective), some_of(objective, seed)
        shapes: list[dict[str, Neighbourhood]] = [
            {f"p=2 rho={rho:g}": Ball(rho) for rho in self.rho},
            {f"p=inf rho={rho:g}": Box(rho) for rho in self.rho_infinity},
        ]
        found: dict[str, Highest] = {}
        for places in shapes:
            ends = highest(
                function,
                list(places.values()),
                restarts=self.restarts,
                steps=self.steps,
                generator=stream(seed, "sam"),
                some=None if some is None else self.function(some),
                origin=self.slope_at_centre(objective),
            )
            found |= dict(zip(places, ends, strict=True))
        rises = function.example_losses(found[value].displacement) - losses_at(objective)
        return {name: _Worst(top.course, rises, top.converged, top.seed_stderr) for name, top in found.items()}


@dataclass(frozen=True)
class _Worst:
    """The highest point that was found near the weights."""

    course: tuple[float, ...]
    rises: Tensor
    """(n,) how much each example's loss is larger at the worst point of the measure's value: its influence on that (the
    envelope theorem)"""
    converged: bool
    seed_stderr: float | None


def _mean(batches: list[_Worst]) -> _Worst:
    """Of batches with a worst point each; their errors count as independent."""
    import torch

    rises = torch.cat([batch.rises for batch in batches])
    shares = [len(batch.rises) / len(rises) for batch in batches]
    courses = torch.tensor([batch.course for batch in batches], dtype=torch.float64)  # (batches, steps + 1)
    course = (torch.tensor(shares, dtype=torch.float64)[:, None] * courses).sum(0)
    errors = [batch.seed_stderr for batch in batches]
    known = [share * error for share, error in zip(shares, errors, strict=True) if error is not None]
    converged = all(batch.converged for batch in batches)
    return _Worst(tuple(course.tolist()), rises, converged, math.hypot(*known) if known else None)
