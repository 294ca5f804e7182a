"""Drop weights without which the gradient is largest, as GraSP was published (Wang et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.drop import Drop, Flow, Layer

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class GradientFlow(Drop):
    """w (H g), g being the gradient by all weights, removed ones as well, of logits divided by 200."""

    name: ClassVar[str] = "grasp"
    flow: ClassVar[Flow] = Flow(dense=True, temperature=200.0)

    def score(self, layer: Layer) -> Tensor:
        return layer.weight * layer.product(self.flow)
