"""The entropy of a unit's state (after ENTROPI: Spadaro et al. 2023)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.criterion import Criterion
from pruning.context.readings import mean_over_data

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class ActivationEntropy(Criterion):
    """-p log2 p - (1 - p) log2 (1 - p) in bits, p being the fraction of the values above 0 over examples and positions
    of the training part, as the layers that read the unit see it.

    ENTROPI prunes for transfer by activation entropy; its exact criterion is not public, so this is the entropy of the
    on-off states that the measures of `entropy` count.
    """

    name: ClassVar[str] = "activation-entropy"
    summary: ClassVar[str] = "entropy in bits of whether a unit's value, as its readers see it, is above 0 (ENTROPI)"

    def score(self, context: Context) -> dict[str, Tensor]:
        on = mean_over_data(context, lambda values: (values > 0).double())
        return {name: binary_entropy(share) for name, share in on.items()}


def binary_entropy(share: Tensor) -> Tensor:
    """The entropy of a state with this share of ones, -p log2 p - (1 - p) log2 (1 - p), in bits, elementwise.

    >>> import torch
    >>> [round(each, 3) for each in binary_entropy(torch.tensor([0.5, 0.25, 0.01])).tolist()]
    [1.0, 0.811, 0.081]
    """
    import torch

    return -(torch.xlogy(share, share) + torch.xlogy(1 - share, 1 - share)) / torch.log(torch.tensor(2.0))
