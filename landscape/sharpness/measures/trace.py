"""Trace of the Hessian of the mean loss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.sharpness.measure import Invariant, Measure, Measured

if TYPE_CHECKING:
    from landscape.objective.objective import Objective

BLOCK = 4
"""probes: what the number of all is rounded up to"""


@dataclass(frozen=True)
class Trace(Measure):
    """The trace of the Hessian: E z.Hz over random signs z (Hutchinson 1990), held against the leading curvature.

    With A the leading curvature, z.(H - A)z + tr A has the trace as its mean and the variance 2 ||H - A||_F^2, less
    twice the squares of the diagonal. Its error is stated by the norms ||(H - A)z||, which tell that variance, the
    diagonal left in, more sharply than the spread of few draws, or by that spread where it is larger. Products of the
    first eight at least are taken block by block of the examples, so that they tell the error of new examples as well.
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
        from landscape.sharpness.controlled import FIRST, widened
        from landscape.sharpness.leading import largest
        from landscape.spectrum.data_error import DATA_PROBES, block_products, jackknife
        from landscape.spectrum.trace import estimate

        function, generator = self.function(objective), stream(seed, "trace")
        leading = largest(objective, self.function, relative=self.relative, seed=seed).leading
        values: list[float] = []
        plain: list[float] = []
        left: list[float] = []
        blocks: list[torch.Tensor] = []

        def draw(count: int) -> list[float]:
            signs = torch.stack([function.signs(generator) for _ in range(count)])
            told = max(0, DATA_PROBES - len(values))
            drawn = block_products(objective, signs, seed, self.function, told)
            rest = drawn.products - leading.product(signs)
            values.extend(((signs * rest).sum(1) + leading.trace).tolist())
            plain.extend(drawn.products.square().sum(1).tolist())
            left.extend(rest.square().sum(1).tolist())
            blocks.append(drawn.quotients)
            return list(drawn.weights)

        weights = draw(min(FIRST, self.probes))
        needed = math.ceil(self.probes * min(1.0, sum(left) / (sum(plain) or 1.0)) / BLOCK) * BLOCK
        if min(needed, self.probes) > len(values):
            draw(min(needed, self.probes) - len(values))
        found, norms = estimate(values), math.sqrt(2 * sum(left)) / len(left)
        error = widened(max(norms, found.stderr or 0.0), len(values))
        each = torch.cat(blocks, dim=1).mean(1, keepdim=True)
        return Measured(found.value, error, jackknife(each, weights).item() if len(weights) > 1 else None)
