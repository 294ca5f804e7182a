"""The worst loss at a given distance from the weights (Foret et al. 2021, SAM)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.sharpness.measure import Invariant, Measure, Measured

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.objective.objective import Objective
    from landscape.sharpness.ascent import Neighbourhood


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
        from landscape.sharpness.ascent import Ball, Box
        from landscape.spectrum.data_error import mean_error

        around: dict[str, Neighbourhood] = {f"p=2 rho={rho:g}": Ball(rho) for rho in self.rho}
        around |= {f"p=inf rho={rho:g}": Box(rho) for rho in self.rho_infinity}
        found = {setting: self._averaged(objective, place, seed) for setting, place in around.items()}
        middle = found[f"p=2 rho={sorted(self.rho)[len(self.rho) // 2]:g}"]
        return Measured(
            middle.course[-1],
            data_stderr_new=mean_error(objective, middle.rises, seed),
            seed_stderr=middle.seed_stderr,
            values={setting: worst.course[-1] for setting, worst in found.items()},
            convergence={"converged": middle.converged},
            settled={setting: worst.converged for setting, worst in found.items()},
            courses={setting: worst.course for setting, worst in found.items()},
        )

    def _averaged(self, objective: Objective, place: Neighbourhood, seed: int) -> _Worst:
        """Each batch's worst rise, averaged over examples."""
        total = len(objective.x)
        if self.m is None or self.m >= total:
            return self._of(objective, place, seed)
        starts = range(0, total, self.m)
        return _mean([self._of(objective.part(first, first + self.m), place, seed) for first in starts])

    def _of(self, objective: Objective, place: Neighbourhood, seed: int) -> _Worst:
        from landscape.objective.streams import stream
        from landscape.sharpness.ascent import highest

        function = self.function(objective)
        top = highest(function, place, restarts=self.restarts, steps=self.steps, generator=stream(seed, "sam"))
        rises = function.example_losses(top.displacement) - function.example_losses()
        return _Worst(top.course, rises, top.converged, top.seed_stderr)


@dataclass(frozen=True)
class _Worst:
    """The highest point that was found near the weights."""

    course: tuple[float, ...]
    rises: Tensor
    """(n,) how much each example's loss is larger there: its influence on the worst rise (the envelope theorem)"""
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
