"""Drop weights that would be small after a step along the gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.drop import Drop, Layer

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class GradientStep(Drop):
    """The magnitude after a step of gradient descent, |w - gamma g|."""

    name: ClassVar[str] = "gradstep"

    gamma: float = 1.0

    def score(self, layer: Layer) -> Tensor:
        return (layer.weight - self.gamma * layer.gradient()).abs()
