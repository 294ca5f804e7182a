"""Drop weights with little gradient for their size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.drop import Drop, Layer

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Sensitivity(Drop):
    """|g| / |w|; of a weight that is exactly zero, of the smallest number beside it."""

    name: ClassVar[str] = "sensitivity"

    def score(self, layer: Layer) -> Tensor:
        import torch

        return layer.gradient().abs().double() / layer.weight.abs().double().clamp(min=torch.finfo(torch.float32).tiny)
