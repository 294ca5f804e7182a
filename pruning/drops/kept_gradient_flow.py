"""Drop weights without which the gradient of the sparse network is largest: GraSP of what is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.drop import Drop, Flow, Layer

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class KeptGradientFlow(Drop):
    """w (H g), g being the gradient by the kept weights alone: without the weight |g|^2 changes by about -2 w (H g)."""

    name: ClassVar[str] = "grasp-kept"
    flow: ClassVar[Flow] = Flow(dense=False)

    def score(self, layer: Layer) -> Tensor:
        return layer.weight * layer.product(self.flow)
