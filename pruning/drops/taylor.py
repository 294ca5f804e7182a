"""Drop what changes the loss least, to first order (Molchanov et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.drop import Drop, Layer

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Taylor(Drop):
    """(w g)^2: the order of |w g|, as long as no square underflows."""

    name: ClassVar[str] = "taylor"

    def score(self, layer: Layer) -> Tensor:
        return (layer.weight * layer.gradient()).double().square()
