"""Elasticities of units and of single weights side by side (CNIP-it: Verdenius et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.probe import Probe
from pruning.scorers.agreement import Estimate, another_draw
from pruning.scorers.sensitivity import Sensitivity
from pruning.unit_criteria.gate import Gate

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.candidates import Scored
    from pruning.context.context import Context


@dataclass(frozen=True)
class Elasticities:
    """|w dL/dw| of every weight and |dL/da| of every unit's gate a = 1, on the same examples. The division of both by
    |L| changes neither's order nor that between them."""

    probe: Probe
    of: ClassVar[Scored] = "both"

    def score(self, context: Context) -> dict[str, Tensor]:
        return {**Sensitivity(self.probe).score(context), **Gate(self.probe).score(context)}

    def estimate(self, context: Context) -> Estimate:
        return another_draw(self, self.probe, context)
