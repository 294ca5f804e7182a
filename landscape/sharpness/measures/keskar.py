"""Keskar et al. (2017): the relative rise of the loss in a small box around the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.sharpness.measure import Invariant, Measure, Measured, vectors_of_climbs

if TYPE_CHECKING:
    from landscape.objective.objective import Objective


@dataclass(frozen=True)
class Keskar(Measure):
    """100 (max over C_e of L - L) / (1 + L), C_e = {|z_i| <= e (|w_i| + 1)}. It grows with the number of weights."""

    name: ClassVar[str] = "keskar"
    invariant: ClassVar[Invariant] = "none"
    units: ClassVar[str] = "%"
    meaning: ClassVar[str] = "worst loss in the box |z| <= e (|w| + 1), in % of 1 + loss; grows with the dimension"

    e: tuple[float, ...] = (1e-3, 5e-4)
    """half-widths of the box; the value is that of the first"""
    restarts: int = 2
    """climbs from random vertices, on some of the examples, beside one along the gradient"""
    steps: int = 20
    """gradients of a climb"""

    @property
    def passes(self) -> float:
        return 0.33 * self.steps * len(self.e)

    @property
    def vectors(self) -> int:
        return vectors_of_climbs(self.restarts, len(self.e))

    def measure(self, objective: Objective, seed: int) -> Measured:
        from landscape.objective.streams import stream
        from landscape.sharpness.ascent import highest
        from landscape.sharpness.centre import losses_at
        from landscape.sharpness.neighbourhoods import Box
        from landscape.sharpness.scouting import some_of
        from landscape.spectrum.data_error import mean_error, relative_influence

        scale, losses = objective.point.abs() + 1, losses_at(objective)
        above = 1 + losses.mean().item()
        some = some_of(objective, seed)
        ends = highest(
            objective,
            [Box(e * scale) for e in self.e],
            restarts=self.restarts,
            steps=self.steps,
            generator=stream(seed, "keskar"),
            some=some,
            origin=self.slope_at_centre(objective),
        )
        found = {f"e={e:g}": highest for e, highest in zip(self.e, ends, strict=True)}
        values = {setting: 100 * highest.rise / above for setting, highest in found.items()}
        first, worst = next(iter(values)), next(iter(found.values()))
        return Measured(
            values[first],
            data_stderr_new=mean_error(
                objective, relative_influence(objective.example_losses(worst.displacement), losses), seed
            ),
            seed_stderr=None if worst.seed_stderr is None else 100 * worst.seed_stderr / above,
            values=values,
            convergence={"converged": worst.converged},
            settled={setting: highest.converged for setting, highest in found.items()},
            courses={setting: highest.course for setting, highest in found.items()},
        )
