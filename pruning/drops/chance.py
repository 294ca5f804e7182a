"""Drop at random: the control for every other rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.drop import Drop, Layer

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Chance(Drop):
    """Scores drawn uniformly from [0, 1): weights go at random."""

    name: ClassVar[str] = "random"

    def score(self, layer: Layer) -> Tensor:
        return layer.draw("drop")
