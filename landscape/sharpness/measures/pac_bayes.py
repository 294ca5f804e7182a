"""How much noise in proportion to the weights a network bears: the flatness of PAC-Bayes bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.sharpness.measure import Invariant, Measure, Measured

if TYPE_CHECKING:
    from landscape.objective.objective import Objective


@dataclass(frozen=True)
class PacBayes(Measure):
    """1 / sigma^2 at the largest sigma with E L(w + sigma |w| xi) - L(w) <= 0.1 nat, xi ~ N(0, I).

    1 / sigma^2 is what enters the bounds (the magnitude-aware sharpness of Jiang et al. 2020); sigma stands beside it.
    The same draws of xi, with both signs, serve every sigma, so that the rise is a smooth function of sigma, whose
    crossing of 0.1 nat is bracketed by doubling or halving and then closed in on. Where the rise is not monotone it
    is the crossing next to the start of that search. NaN where no sigma between 1e-4 and 1e3 raises the loss to 0.1.

    Errors of sigma are those of the rise at it over the slope of the rise (implicit differentiation).
    """

    name: ClassVar[str] = "pac_bayes"
    invariant: ClassVar[Invariant] = "unit"
    units: ClassVar[str] = "1"
    meaning: ClassVar[str] = "1 / sigma², sigma |w| being the noise on each weight that raises the loss by 0.1 nat"
    default: ClassVar[bool] = False
    relative: ClassVar[bool] = True

    rise: float = 0.1
    """nats by which the loss may rise"""
    pairs: int = 16
    """draws of the noise, each taken with both signs"""
    tolerance: float = 1e-3
    """relative error allowed in sigma, for these draws"""

    @property
    def passes(self) -> float:
        return 15.0 * self.pairs

    def measure(self, objective: Objective, seed: int) -> Measured:
        from landscape.objective.streams import stream
        from landscape.sharpness.crossing import crossing
        from landscape.sharpness.noise import rises
        from landscape.spectrum.data_error import mean_error
        from landscape.spectrum.trace import estimate

        function = self.function(objective)

        def mean_rise(sigma: float) -> float:
            return estimate(rises(function, sigma, self.pairs, stream(seed, "pac_bayes")).draws).value

        found = crossing(mean_rise, self.rise, tolerance=self.tolerance)
        if found is None:
            return Measured(float("nan"), convergence={"converged": False})
        at = rises(function, found.x, self.pairs, stream(seed, "pac_bayes"))
        value, draws, examples = 1 / found.x**2, estimate(at.draws).stderr, mean_error(objective, at.examples, seed)
        per_nat = 2 * value / (found.x * found.slope)  # |d sigma^-2 / d rise|
        return Measured(
            value,
            None if draws is None else per_nat * draws,
            None if examples is None else per_nat * examples,
            values={"sigma": found.x},
            convergence={"converged": True},
        )
