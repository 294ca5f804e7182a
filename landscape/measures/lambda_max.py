"""Largest eigenvalue of the Hessian of the mean loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.measure import Invariant, Measure, Measured

if TYPE_CHECKING:
    from landscape.objective import Objective


@dataclass(frozen=True)
class LambdaMax(Measure):
    """lambda_max(H), by Lanczos."""

    name: ClassVar[str] = "lambda_max"
    invariant: ClassVar[Invariant] = "none"
    meaning: ClassVar[str] = "largest curvature along any direction (largest Hessian eigenvalue)"

    tolerance: float = 1e-3
    """relative error allowed in the eigenvalue"""

    def measure(self, objective: Objective, seed: int) -> Measured:
        from landscape.lanczos import top_eigenpairs
        from landscape.streams import stream

        function, generator = self.function(objective), stream(seed, "lanczos")
        pairs = top_eigenpairs(
            function.hvp, lambda: function.normal(generator), function.dimension, top=1, tolerance=self.tolerance
        )
        return Measured(float(pairs.values[0]))
