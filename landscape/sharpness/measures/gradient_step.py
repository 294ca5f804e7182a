"""The rise of the loss after one step along the gradient (the step of SAM, Foret et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.sharpness.measure import Invariant, Measure, Measured

if TYPE_CHECKING:
    from landscape.objective.objective import Objective


@dataclass(frozen=True)
class GradientStep(Measure):
    """L(w + rho g / ||g||) - L(w), the value at the middle rho; beside it its first order rho ||g||."""

    name: ClassVar[str] = "gradient_step"
    invariant: ClassVar[Invariant] = "none"
    meaning: ClassVar[str] = "rise of the loss after one step of length rho along the gradient"
    default: ClassVar[bool] = False

    rho: tuple[float, ...] = (0.01, 0.05, 0.1)
    """lengths of the step, ascending"""

    @property
    def passes(self) -> float:
        return 1.3 + 0.3 * len(self.rho)

    def measure(self, objective: Objective, seed: int) -> Measured:
        from landscape.sharpness.centre import losses_at, slope_at
        from landscape.spectrum.data_error import mean_error

        _, gradient = slope_at(objective)
        norm, losses = gradient.norm(), losses_at(objective)
        way = gradient / norm if norm > 0 else gradient
        rises = {rho: objective.example_losses(rho * way) - losses for rho in self.rho}
        middle = sorted(self.rho)[len(self.rho) // 2]
        values = {f"rho={rho:g}": rise.mean().item() for rho, rise in rises.items()}
        values |= {f"first order rho={rho:g}": rho * norm.item() for rho in self.rho}
        return Measured(
            values[f"rho={middle:g}"], data_stderr_new=mean_error(objective, rises[middle], seed), values=values
        )
