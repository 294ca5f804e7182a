"""Largest eigenvalue of the Hessian of the mean loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.sharpness.measure import Invariant, Measure, Measured

if TYPE_CHECKING:
    from landscape.objective.objective import Objective


@dataclass(frozen=True)
class LambdaMax(Measure):
    """The largest eigenvalue of the Hessian, lambda_max(H), by Lanczos."""

    name: ClassVar[str] = "lambda_max"
    invariant: ClassVar[Invariant] = "none"
    meaning: ClassVar[str] = "largest curvature along any direction (largest Hessian eigenvalue)"
    by_lanczos: ClassVar[bool] = True

    tolerance: float = 1e-3
    """relative error allowed in the eigenvalue"""

    @property
    def passes(self) -> float:
        return 2.0

    def measure(self, objective: Objective, seed: int) -> Measured:
        from landscape.sharpness.leading import largest
        from landscape.spectrum.data_error import curvature_error
        from minima.store.command import note

        found = largest(objective, self.function, relative=self.relative, seed=seed, tolerance=self.tolerance)
        if not found.converged:
            note(f"{self.name}: {found.products} products did not bring the eigenvalue within the tolerance")
        convergence = {"residual": found.residual, "converged": found.converged}
        error = curvature_error(objective, found.vector, seed, self.function)
        return Measured(found.value, data_stderr_new=error, convergence=convergence)
