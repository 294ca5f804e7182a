"""Drop weights that have been small for some exchanges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.drop import Drop, Layer

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class RunningMagnitude(Drop):
    """Exponential average of |w| over the exchanges; the share of the past is a choice of ours."""

    name: ClassVar[str] = "running-magnitude"
    memory: ClassVar[float] = 0.9

    def score(self, layer: Layer) -> Tensor:
        return layer.weight.abs()
