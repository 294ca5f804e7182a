"""The examples in blocks that are alike: what a jackknife leaves out, one after the other.

Class by class, so that each block has every class in the share that the examples have, however they are sorted; where
there are no classes at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from landscape.objective.streams import stream

if TYPE_CHECKING:
    from landscape.objective.objective import Objective

BLOCKS = 20
"""of examples; with as many, a stated error is itself known to about 16 %"""


@dataclass(frozen=True)
class ExampleBlocks:
    """Which examples each block has, ascending, and their weights, summed."""

    rows: Sequence[Tensor]
    weights: Sequence[float]

    def __len__(self) -> int:
        return len(self.rows)


def blocks_of(objective: Objective, seed: int = 0) -> ExampleBlocks:
    """The blocks into which an objective's examples are dealt, each with its sum of weights."""
    rows = deal(objective.y, len(objective.x), seed)
    weights = objective.weighing.weights
    sums = [float(len(each)) if weights is None else weights[each].sum().item() for each in rows]
    return ExampleBlocks(rows, sums)


def deal(y: Any, count: int, seed: int = 0) -> list[Tensor]:
    """The indices of `count` examples in `BLOCKS` blocks, or in as many as there are examples.

    Within each class of labels y (N,) in an order drawn from `seed`; the classes behind one another are dealt out like
    cards. Where y is no vector of labels, all are one class.

    >>> [block.tolist() for block in deal(torch.tensor([0] * 20 + [1] * 20), 40)][0] # doctest: +ELLIPSIS
    [..., ...]
    """
    order = torch.randperm(count, generator=stream(seed, "blocks"))
    if torch.is_tensor(y) and y.ndim == 1 and not y.is_floating_point():
        order = order[y.cpu()[order].argsort(stable=True)]
    device = y.device if torch.is_tensor(y) else None
    number = min(BLOCKS, count)
    return [order[block::number].sort().values.to(device) for block in range(number)]
