"""Drop weights with much gradient for their size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.drop import Drop, Layer

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class ReciprocalSensitivity(Drop):
    """The reciprocal of the relative gradient, |w| / (|g| + 1e-8)."""

    name: ClassVar[str] = "reciprocal-sensitivity"

    def score(self, layer: Layer) -> Tensor:
        return layer.weight.abs() / (layer.gradient().abs() + 1e-8)
