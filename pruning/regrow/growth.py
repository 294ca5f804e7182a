"""Which of the removed weights of a tensor come back: the highest scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.drop import Layer


class Growth(Protocol):
    """A rule by which weights come back at an exchange."""

    def score(self, layer: Layer) -> Tensor:
        """How much each removed weight of a tensor would be worth.

        Args:
            layer: the tensor, which of it is kept, and its gradients on one batch.

        Returns:
            scores of the tensor's shape: the removed weights with the highest come back, those of kept ones are of no
            account.
        """


@dataclass(frozen=True)
class AtRandom:
    """Weights come back at random (Mocanu et al. 2018)."""

    def score(self, layer: Layer) -> Tensor:
        return layer.draw("grow")


@dataclass(frozen=True)
class LargestGradient:
    """Weights with the largest |g| come back: where a step would lower the loss the most (Evci et al. 2020)."""

    def score(self, layer: Layer) -> Tensor:
        return layer.gradient().abs()
