"""What comes out of making a network smaller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from minima.zoo.anatomy.costs.of_units import Cost

if TYPE_CHECKING:
    from torch import Tensor, nn

    from minima.zoo.anatomy.narrowing.manifest import Manifest


@dataclass(frozen=True, eq=False)
class Shrunk:
    """A smaller network that computes the same, what of it went, and what it costs before and after."""

    model: nn.Module
    """in eval mode, in the dtypes of the one that it was made of"""
    masks: dict[str, Tensor]
    """bool, True = kept, of the weights that still have removed ones"""
    manifest: Manifest
    """what makes the wide network's module narrow: with it, the state dict is all that has to be kept"""
    units: dict[str, tuple[int, int]]
    """layer -> its units before and after"""
    staying: dict[str, int]
    """layer -> constant units that stay, since what reads them cannot do without"""
    held: dict[str, str]
    """module -> why its units cannot be removed"""
    before: Cost
    after: Cost
    max_difference: dict[str, float]
    """largest difference of an output, in float64 and float32"""
    notes: tuple[str, ...] = ()
    """what else is to be known"""
    static: Mapping[str, int] = field(default_factory=dict)
    """layer -> units that were removed since they are 0 on the examples, or within the bounds"""
    dependent: Mapping[str, int] = field(default_factory=dict)
    """layer -> units that were removed since they are on there, and combinations of others that are"""
    idle: tuple[str, ...] = ()
    """rectifiers that were put out since they change nothing there"""
    guessed: Mapping[str, float] = field(default_factory=dict)
    """what that did to outputs: the largest difference on the `examples`, and on `held_out` ones"""

    @property
    def removed(self) -> dict[str, int]:
        """How many units (channels, neurons, heads) of each layer are gone, by its name."""
        return {name: wide - narrow for name, (wide, narrow) in self.units.items() if narrow < wide}
