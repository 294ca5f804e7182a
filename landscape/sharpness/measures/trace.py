"""Trace of the Hessian of the mean loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.sharpness.measure import Invariant, Measure, Measured

if TYPE_CHECKING:
    from landscape.objective.objective import Objective

DATA_PROBES = 8
"""random signs that an error of new examples is estimated with, where the trace's own probes do not tell it"""


@dataclass(frozen=True)
class Trace(Measure):
    """The trace of the Hessian: E z.Hz over random signs z (Hutchinson 1990), held against the leading curvature.

    Products are taken block by block of the examples, so that the same probes tell the error of new examples.
    """

    name: ClassVar[str] = "trace"
    invariant: ClassVar[Invariant] = "none"
    meaning: ClassVar[str] = "sum of the curvatures along all weights (trace of the Hessian)"
    by_lanczos: ClassVar[bool] = True

    probes: int = 64
    """plain sign vectors that the trace is as precise as (the standard error falls with their square root); fewer are
    drawn where the leading curvature explains their spread"""

    @property
    def passes(self) -> float:
        return 0.6 * self.probes

    def measure(self, objective: Objective, seed: int) -> Measured:
        import torch

        from landscape.objective.streams import stream
        from landscape.sharpness.controlled import controlled
        from landscape.sharpness.leading import largest
        from landscape.spectrum.data_error import block_quotients, jackknife

        function, generator = self.function(objective), stream(seed, "trace")
        leading = largest(objective, self.function, relative=self.relative, seed=seed).leading
        blocks: list[torch.Tensor] = []
        weights: list[float] = []

        def draw(count: int) -> tuple[list[float], list[float]]:
            signs = torch.stack([function.signs(generator) for _ in range(count)])
            quotients, shares = block_quotients(objective, signs, seed, self.function)  # (blocks, count)
            blocks.append(quotients)
            weights[:] = shares
            share = torch.tensor(shares, dtype=torch.float64).to(quotients)
            return ((share @ quotients) / share.sum()).tolist(), leading.form(signs).tolist()

        found = controlled(draw, leading.trace, self.probes, step=4)
        each = torch.cat(blocks, dim=1).mean(1, keepdim=True)
        return Measured(found.value, found.stderr, jackknife(each, weights).item() if len(weights) > 1 else None)
