"""Whole units: channels, neurons and attention heads, each with everything that holds it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from minima.store.command import BadInput
from minima.zoo.anatomy.prunable import prunable
from pruning.context.candidates import Heads

if TYPE_CHECKING:
    from torch import nn

    from pruning.spaces.units_of import UnitsOf


@dataclass(frozen=True)
class Units:
    """Channels of convolutions, neurons of linear layers, heads of attention, as `minima.zoo.anatomy.removable` finds
    them: with a removed unit go the rows and biases that make it, its normalisation, and the columns that read it."""

    measure: str = "sparsity"
    """what targets are counted in, a key of `pruning.context.counts.MEASURES`"""
    least: int = 1
    """units that every group keeps at every cut; 0: whole layers may go"""
    heads: Heads = "groups"
    """what goes of attention with grouped queries"""

    def __post_init__(self) -> None:
        if self.least < 0:
            raise BadInput(f"--least {self.least}: expected the number of units that a layer keeps, 0 or more")

    def on(self, model: nn.Module, x: Any) -> UnitsOf:
        from pruning.spaces.units_of import UnitsOf

        return UnitsOf.found(model, x, self.measure, self.least, self.heads)

    def counting(self, measure: str, heads: Heads = "groups") -> Self:
        return replace(self, measure=measure, heads=heads)

    def weights(self, model: nn.Module) -> dict[str, nn.Parameter]:
        return prunable(model)
