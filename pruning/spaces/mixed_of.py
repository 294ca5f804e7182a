"""The units and the single weights of one network as what competes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from pruning.context.candidates import Scored
from pruning.context.counts import kept_count
from pruning.spaces.units_of import Masks, Tensors, UnitsOf


@dataclass(frozen=True, eq=False)
class MixedOf(UnitsOf):
    """Units and single weights of one network together, units by the names of their groups, weights by those of their
    tensors.
    """

    def pool(self, scores: Tensors, of: Scored, masks: Masks) -> Tensors:
        """Scores of both as they are."""
        if of != "both":
            raise ValueError(f"a scorer of {of}, where units and weights compete")
        return super().pool(scores, "units", masks) | {name: scores[name].double() for name in self.counted}

    def alive(self, masks: Masks) -> Tensors:
        return self.units(masks) | {name: masks[name] for name in self.counted}

    def least(self, alive: Tensors, pooled: Tensors) -> dict[str, int]:
        units = {group.name for group in self.groups}
        return {name: count for name, count in super().least(alive, pooled).items() if name in units}

    def target(self, total: int, level: float) -> int:
        """Single weights fill up what units leave open, so that a sparsity is met as exactly as by these alone."""
        return kept_count(total, level) if self.measure == "sparsity" else super().target(total, level)

    def spread(self, kept: Mapping[str, Tensor], masks: Masks) -> Tensors:
        """What a unit takes with it goes, and so do the weights that are not kept themselves."""
        found = super().spread(dict(kept), masks)
        return found | {name: found[name] & kept[name] for name in self.counted if name in kept}
