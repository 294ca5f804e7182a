"""Keskar et al. (2017): the relative rise of the loss in a small box around the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.measure import Invariant, Measure, Measured

if TYPE_CHECKING:
    from landscape.objective import Objective


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
    """climbs from random vertices, beside one from the weights"""
    steps: int = 20
    """gradients of a climb"""

    def measure(self, objective: Objective, seed: int) -> Measured:
        from landscape.ascent import Box, highest
        from landscape.streams import stream

        scale, base = objective.point.abs() + 1, objective.loss()
        rises = {
            f"e={e:g}": highest(
                objective,
                Box(e * scale),
                restarts=self.restarts,
                steps=self.steps,
                generator=stream(seed, "keskar"),
            )
            for e in self.e
        }
        values = {setting: 100 * found.rise / (1 + base) for setting, found in rises.items()}
        return Measured(
            next(iter(values.values())),
            values=values,
            courses={setting: found.course for setting, found in rises.items()},
        )
