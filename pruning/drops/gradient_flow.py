"""Drop weights without which the gradient of the sparse network is largest (Wang et al. 2020, GraSP)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.drop import Drop, Layer

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class GradientFlow(Drop):
    """w (H g): without the weight |g|^2 changes by about -2 w (H g)."""

    name: ClassVar[str] = "grasp"

    def score(self, layer: Layer) -> Tensor:
        return layer.weight * layer.product()
