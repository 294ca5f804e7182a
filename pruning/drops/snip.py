"""Drop what the loss is least sensitive to (Lee et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.drop import Drop, Layer

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Snip(Drop):
    """The sensitivity of the loss to a gate on the weight, |w g| (Lee et al. 2019)."""

    name: ClassVar[str] = "snip"

    def score(self, layer: Layer) -> Tensor:
        return (layer.weight * layer.gradient()).abs()
