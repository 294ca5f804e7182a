"""The drop rule of sparse evolutionary training (Mocanu et al. 2018): from both sides of zero alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.drop import Drop, Layer

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class NearestZero(Drop):
    """The rank of |w| among the kept weights of its sign: half of what goes is positive, half is negative, until one
    sign is used up. Zero counts as positive.

    >>> import torch
    >>> weight = torch.tensor([0.1, 0.2, 0.3, -5.0, -4.0])
    >>> NearestZero().score(Layer(weight, None, None, torch.ones(5, dtype=bool), None)).tolist()
    [0.0, 1.0, 2.0, 1.0, 0.0]
    """

    name: ClassVar[str] = "set"

    def score(self, layer: Layer) -> Tensor:
        import torch

        score = torch.zeros_like(layer.weight)
        for side in (layer.kept & (layer.weight >= 0), layer.kept & (layer.weight < 0)):
            order = layer.weight[side].abs().argsort(stable=True)
            score[side] = order.argsort().to(score.dtype)
        return score
