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

    Every draw is used with both signs, so that the gradient's part cancels, and held against what the leading curvature
    makes of it, whose mean is known; the error is that of the pairs' mean.
    """

    name: ClassVar[str] = "average"
    invariant: ClassVar[Invariant] = "none"
    meaning: ClassVar[str] = "mean rise of the loss under noise of deviation rho on each weight"
    by_losses: ClassVar[bool] = True
    by_lanczos: ClassVar[bool] = True

    rho: tuple[float, ...] = (0.005, 0.01, 0.02)
    """standard deviations of the noise"""
    pairs: int = 32
    """plain draws of the noise, each with both signs, that the mean is as precise as; fewer are made where they do"""

    @property
    def passes(self) -> float:
        return 0.28 * self.pairs + 2.5 * (len(self.rho) - 1)

    def measure(self, objective: Objective, seed: int) -> Measured:
        from landscape.objective.streams import stream
        from landscape.sharpness.centre import losses_at
        from landscape.sharpness.leading import largest
        from landscape.sharpness.noise import mean_rises
        from landscape.spectrum.data_error import mean_error

        function = self.function(objective)
        leading = largest(objective, self.function, relative=self.relative, seed=seed).leading
        base = losses_at(objective)
        means, examples = mean_rises(function, base, leading, self.rho, self.pairs, lambda: stream(seed, "average"))
        middle = means[sorted(self.rho)[len(self.rho) // 2]]
        return Measured(
            middle.value,
            middle.stderr,
            mean_error(objective, examples, seed),
            values={f"rho={rho:g}": mean.value for rho, mean in means.items()},
        )
