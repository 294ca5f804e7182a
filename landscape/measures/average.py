"""The mean rise of the loss under Gaussian noise on the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.measure import Invariant, Measure, Measured

if TYPE_CHECKING:
    from landscape.objective import Objective
    from landscape.trace import Estimate


@dataclass(frozen=True)
class Average(Measure):
    """E L(w + delta) - L(w), delta ~ N(0, rho^2 I); the value is that of the middle rho.

    Every draw is used with both signs, so that the gradient's part cancels; the error is that of the pairs' mean.
    """

    name: ClassVar[str] = "average"
    invariant: ClassVar[Invariant] = "none"
    meaning: ClassVar[str] = "mean rise of the loss under noise of deviation rho on each weight"

    rho: tuple[float, ...] = (0.005, 0.01, 0.02)
    """standard deviations of the noise"""
    pairs: int = 32
    """draws of the noise, each taken with both signs"""

    def measure(self, objective: Objective, seed: int) -> Measured:
        found = {rho: self._rise(objective, rho, seed) for rho in self.rho}
        middle = found[sorted(self.rho)[len(self.rho) // 2]]
        return Measured(middle.value, middle.stderr, values={f"rho={rho:g}": rise.value for rho, rise in found.items()})

    def _rise(self, objective: Objective, rho: float, seed: int) -> Estimate:
        from landscape.streams import stream
        from landscape.trace import estimate

        function, generator = self.function(objective), stream(seed, "average")
        base, samples = function.loss(), []
        for _ in range(self.pairs):
            noise = rho * function.normal(generator)
            samples.append((function.loss(noise) + function.loss(-noise)) / 2 - base)
        return estimate(samples)
