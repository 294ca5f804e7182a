"""The mean rise of the loss under Gaussian noise on the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.sharpness.measure import Invariant, Measure, Measured

if TYPE_CHECKING:
    from landscape.objective.objective import Objective


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
        from landscape.objective.streams import stream
        from landscape.sharpness.noise import rises
        from landscape.spectrum.data_error import mean_error
        from landscape.spectrum.trace import estimate

        function = self.function(objective)
        draws = {rho: rises(function, rho, self.pairs, stream(seed, "average")) for rho in self.rho}
        means = {rho: estimate(found.draws) for rho, found in draws.items()}
        middle = sorted(self.rho)[len(self.rho) // 2]
        return Measured(
            means[middle].value,
            means[middle].stderr,
            mean_error(objective, draws[middle].examples, seed),
            values={f"rho={rho:g}": mean.value for rho, mean in means.items()},
        )
