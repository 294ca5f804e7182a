"""Drop what the loss has been insensitive to for some exchanges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.drop import Drop, Layer

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class RunningSnip(Drop):
    """Exponential average of |w g| over the exchanges; the share of the past is a choice of ours."""

    name: ClassVar[str] = "running-snip"
    memory: ClassVar[float] = 0.9

    def score(self, layer: Layer) -> Tensor:
        return (layer.weight * layer.gradient()).abs()
