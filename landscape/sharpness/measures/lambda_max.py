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

    def measure(self, objective: Objective, seed: int) -> Measured:
        from landscape.objective.streams import stream
        from landscape.spectrum.data_error import curvature_error
        from landscape.spectrum.lanczos import top_eigenpairs
        from minima.store.command import note

        function, generator = self.function(objective), stream(seed, "lanczos")
        pairs = top_eigenpairs(
            function.hvp,
            lambda: function.normal(generator),
            function.dimension,
            top=1,
            tolerance=self.tolerance,
            memory=objective.keeper.vector_bytes,
        )
        if not pairs.converged:
            note(f"{self.name}: {pairs.products} products did not bring the eigenvalue within the tolerance")
        convergence = {"residual": float(pairs.residuals[0]), "converged": pairs.converged}
        error = curvature_error(objective, pairs.vectors, seed, self.function)
        return Measured(float(pairs.values[0]), data_stderr_new=error, convergence=convergence)
