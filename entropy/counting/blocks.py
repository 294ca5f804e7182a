"""In what order examples are looked at: class by class, and within a class block by block.

Sorted so, a batch is a few runs of rows that are counted together, and the states of a run are added up by one sum.
The blocks are what the jackknife leaves out. Within its class the k-th example goes to block k mod B: every block has
its share of every class, even if the file is sorted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

BLOCKS = 20


@dataclass(frozen=True)
class Run:
    """Rows start..stop of a batch, all of one cell (block and class)."""

    start: int
    stop: int
    block: int
    label: int


@dataclass(frozen=True)
class Blocks:
    """Examples dealt into cells of block and class."""

    order: Tensor
    """example indices sorted by class and block (N,)"""
    sizes: Tensor
    """number of examples per block and class (B, C)"""

    def batches(self, batch_size: int) -> Iterator[tuple[Tensor, list[Run]]]:
        """Indices of each batch, with the runs of equal cells in it."""
        blocks, classes = self.sizes.shape
        # A cell's number in sorted order is class * B + block.
        cells = torch.repeat_interleave(torch.arange(blocks * classes), self.sizes.T.flatten())
        for indices, numbers in zip(self.order.split(batch_size), cells.split(batch_size), strict=True):
            found, lengths = torch.unique_consecutive(numbers, return_counts=True)
            stops = lengths.cumsum(0).tolist()
            starts = [0, *stops[:-1]]
            yield (
                indices,
                [
                    Run(start, stop, cell % blocks, cell // blocks)
                    for start, stop, cell in zip(starts, stops, found.tolist(), strict=True)
                ],
            )


def occurring(labels: Tensor, classes: int) -> tuple[tuple[int, ...], Tensor]:
    """The classes that have examples, ascending, and each example's place among them (N,).

    Counts have a row for each of these only: of a thousand classes a few hundred examples may show thirty.

    >>> occurring(torch.tensor([7, 2, 7]), classes=10)
    ((2, 7), tensor([1, 0, 1]))
    """
    labels = labels.cpu()
    _require_range(labels, classes)
    found, places = labels.unique(return_inverse=True)
    return tuple(found.tolist()), places


def deal(labels: Tensor, classes: int, blocks: int = BLOCKS) -> Blocks:
    """Deal examples with labels (N,) in 0..classes-1 into `blocks` blocks, each class in turn.

    >>> dealt = deal(torch.tensor([1, 0, 1, 1, 0]), classes=2, blocks=2)
    >>> dealt.order.tolist(), dealt.sizes.tolist()
    ([1, 4, 0, 3, 2], [[1, 2], [1, 1]])
    """
    labels = labels.cpu()
    _require_range(labels, classes)
    by_class = labels.argsort(stable=True)
    per_class = labels.bincount(minlength=classes)
    first = per_class.cumsum(0) - per_class
    rank = torch.arange(len(labels)) - first[labels[by_class]]
    cells = labels[by_class] * blocks + rank % blocks
    sizes = cells.bincount(minlength=classes * blocks).view(classes, blocks).T.contiguous()
    return Blocks(by_class[cells.argsort(stable=True)], sizes)


def _require_range(labels: Tensor, classes: int) -> None:
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise ValueError(f"labels must lie in 0..{classes - 1}, not {int(labels.min())}..{int(labels.max())}")
