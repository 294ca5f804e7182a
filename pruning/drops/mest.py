"""Drop weights that are small and hardly move (Yuan et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.drop import Drop, Layer

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Mest(Drop):
    """The magnitude with the gradient's, |w| + gamma |g| (Yuan et al. 2021)."""

    name: ClassVar[str] = "mest"

    gamma: float = 1.0

    def score(self, layer: Layer) -> Tensor:
        return layer.weight.abs() + self.gamma * layer.gradient().abs()
