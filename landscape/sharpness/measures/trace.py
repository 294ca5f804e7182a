"""Trace of the Hessian of the mean loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.sharpness.measure import Invariant, Measure, Measured

if TYPE_CHECKING:
    from landscape.objective.objective import Objective

DATA_PROBES = 8
"""of the random signs: those that the error of new examples is estimated with"""


@dataclass(frozen=True)
class Trace(Measure):
    """The trace of the Hessian, by Hutchinson's estimator."""

    name: ClassVar[str] = "trace"
    invariant: ClassVar[Invariant] = "none"
    meaning: ClassVar[str] = "sum of the curvatures along all weights (trace of the Hessian)"

    probes: int = 64
    """random sign vectors; the standard error falls with their square root"""

    def measure(self, objective: Objective, seed: int) -> Measured:
        import torch

        from landscape.objective.streams import stream
        from landscape.spectrum.data_error import curvature_error
        from landscape.spectrum.trace import hutchinson

        function, generator, again = self.function(objective), stream(seed, "trace"), stream(seed, "trace")
        found = hutchinson(function.hvp, lambda: function.signs(generator), self.probes)
        some = torch.stack([function.signs(again) for _ in range(min(DATA_PROBES, self.probes))])
        error = curvature_error(objective, some, seed, self.function, average=True)
        return Measured(found.value, found.stderr, error)
