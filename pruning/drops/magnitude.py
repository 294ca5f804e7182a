"""Drop the smallest weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.drop import Drop, Layer

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Magnitude(Drop):
    """The magnitude of the weight, |w|."""

    name: ClassVar[str] = "magnitude"

    def score(self, layer: Layer) -> Tensor:
        return layer.weight.abs()
