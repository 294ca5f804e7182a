"""Magnitude."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class Magnitude:
    """The magnitude of each weight, |w|."""

    def score(self, context: Context) -> dict[str, Tensor]:
        return {name: weight.detach().abs() for name, weight in context.weights.items()}
