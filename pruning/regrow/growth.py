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
        """Scores of the tensor's shape; of the removed weights those with the highest come, scores of kept ones are of
        no account.
        """


@dataclass(frozen=True)
class AtRandom:
    """All alike (Mocanu et al. 2018)."""

    def score(self, layer: Layer) -> Tensor:
        return layer.draw("grow")


@dataclass(frozen=True)
class LargestGradient:
    """|g|: where a step would lower the loss the most (Evci et al. 2020)."""

    def score(self, layer: Layer) -> Tensor:
        return layer.gradient().abs()
