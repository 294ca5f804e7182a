"""Single weights of convolutions and linear layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Elements:
    """Each weight stands for itself: groups of one."""

    def weights(self, model: nn.Module) -> dict[str, nn.Parameter]:
        from minima.zoo.anatomy.prunable import prunable

        return prunable(model)

    def pool(self, scores: dict[str, Tensor]) -> dict[str, Tensor]:
        return scores

    def alive(self, masks: dict[str, Tensor]) -> dict[str, Tensor]:
        return masks

    def spread(self, kept: dict[str, Tensor]) -> dict[str, Tensor]:
        return kept
