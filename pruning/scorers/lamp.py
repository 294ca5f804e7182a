"""Layer-adaptive magnitude (LAMP: Lee et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class Lamp:
    """w_u^2 / sum of w_v^2 over the weights v of its layer that are left and not smaller: then the layers compete.

    The largest weight of every layer scores 1, so that no layer is emptied while as many are kept as there are layers.
    """

    def score(self, context: Context) -> dict[str, Tensor]:
        return {name: lamp(weight.detach() * context.masks[name]) for name, weight in context.weights.items()}


def lamp(weight: Tensor) -> Tensor:
    """The scores of one tensor; of equal weights, the one that comes first counts as the larger.

    >>> import torch
    >>> lamp(torch.tensor([[1.0, -2.0], [3.0, 0.0]])).mul(182).tolist()
    [[13.0, 56.0], [182.0, 0.0]]
    """
    squares = weight.double().square().flatten()
    descending = squares.argsort(descending=True, stable=True)
    ordered = squares[descending]
    not_smaller = ordered.cumsum(0).clamp(min=ordered[:1].clamp(min=1e-300)) if len(ordered) else ordered
    return squares.new_empty(squares.shape).index_copy(0, descending, ordered / not_smaller).view(weight.shape)
