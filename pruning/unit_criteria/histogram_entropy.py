"""The entropy of a unit's mean over an image, from a histogram (ICE-Pruning: Hu et al. 2025)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.context.criterion import Criterion
from pruning.context.readings import means_of_examples

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context

BINS = 20


@dataclass(frozen=True)
class HistogramEntropy(Criterion):
    """-sum p log2 p in bits over 20 equal bins from the least to the largest of a unit's means over positions, one mean
    for each example of the training part, as the first layer that reads the unit sees it; 0 of a constant unit."""

    name: ClassVar[str] = "histogram-entropy"
    summary: ClassVar[str] = "entropy of a histogram of a unit's mean over positions, over examples (Hu et al. 2025)"

    def score(self, context: Context) -> dict[str, Tensor]:
        return {name: histogram_entropy(means) for name, means in means_of_examples(context).items()}


def histogram_entropy(values: Tensor) -> Tensor:
    """The entropy (size,) in bits of the histogram of each column of values (n, size).

    >>> import torch
    >>> histogram_entropy(torch.tensor([[0.0, 5.0], [1.0, 5.0]])).tolist()
    [1.0, 0.0]
    """
    import torch

    low, high = values.amin(0), values.amax(0)
    width = torch.where(high > low, high - low, 1.0)
    places = ((values - low) / width * BINS).long().clamp(max=BINS - 1)
    shares = torch.nn.functional.one_hot(places, BINS).double().mean(0)
    return torch.special.entr(shares).sum(1) / math.log(2)
