"""Whole units and single weights, removed by one threshold (CNIP-it: Verdenius et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from minima.store.command import BadInput
from pruning.context.candidates import Heads
from pruning.spaces.units import Units

if TYPE_CHECKING:
    from torch import nn

    from pruning.spaces.mixed_of import MixedOf


@dataclass(frozen=True)
class UnitsAndWeights(Units):
    """The units of `Units` and every single weight: all compete, and a weight that goes both ways counts once."""

    def on(self, model: nn.Module, x: Any) -> MixedOf:
        from pruning.spaces.mixed_of import MixedOf

        return MixedOf.found(model, x, self.measure, self.least, self.heads)

    def counting(self, measure: str, heads: Heads = "groups") -> Self:
        if measure not in ("sparsity", "units"):
            raise BadInput(
                f"--{measure}: this method removes single weights too, of which that says nothing: give --sparsity, or "
                "--units for a fraction of the units"
            )
        return super().counting(measure, heads)
