"""Positions as examples: each pixel or token of an example counts for its own class, in every site that has them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from entropy.counting.blocks import Blocks, Run
from entropy.counting.states import States


@dataclass(frozen=True)
class PositionLabels:
    """The class of each position of each example, among those that occur."""

    classes: tuple[int, ...]
    """that occur at a position that counts, ascending"""
    places: Tensor
    """(N, P) each position's place among `classes`; beyond them where it does not count"""

    @staticmethod
    def of(labels: Tensor, counted: Tensor) -> PositionLabels:
        """Labels (N, ...) with the positions that count, both in the order of the sites' positions.

        >>> found = PositionLabels.of(torch.tensor([[7, 2], [7, 255]]), torch.tensor([[True, True], [True, False]]))
        >>> found.classes, found.places.tolist()
        ((2, 7), [[1, 0], [1, 2]])
        """
        flat, kept = labels.cpu().reshape(len(labels), -1).long().contiguous(), counted.cpu().reshape(len(labels), -1)
        classes = flat[kept].unique()
        return PositionLabels(
            tuple(classes.tolist()), torch.searchsorted(classes, flat).masked_fill(~kept, len(classes))
        )

    @property
    def positions(self) -> int:
        """P, of an example."""
        return self.places.shape[1]

    def observed(self, blocks: Blocks) -> NDArray[np.int64]:
        """Positions looked at per block and class (B, C)."""
        found = torch.zeros(len(blocks.sizes), len(self.classes) + 1, dtype=torch.int64)
        dealt = torch.repeat_interleave(torch.arange(len(blocks.sizes)), blocks.sizes[:, 0])
        for block, places in zip(dealt.tolist(), self.places[blocks.order], strict=True):
            found[block] += places.bincount(minlength=len(self.classes) + 1)
        return found[:, :-1].numpy()


class PositionTally:
    """How often each channel of one site was ON, per block and class of the position; of no site with other positions.

    Batches come in the order of `blocks`, whose examples are all of one class: their positions tell the classes.
    """

    def __init__(self, states: States, blocks: Blocks, labels: PositionLabels) -> None:
        self.shape, self.positions = states.shape, states.positions
        self._labels, self._order, self._seen = labels, blocks.order, 0
        rows = len(blocks.sizes), len(labels.classes) + 1
        kind = torch.int32 if len(blocks.order) * states.positions < 2**31 else torch.int64
        self._counts = torch.zeros(*rows, states.neurons, dtype=kind) if self.fits else None

    @property
    def fits(self) -> bool:
        """Whether the site has the positions of the labels."""
        return self.positions == self._labels.positions

    def add(self, states: States, runs: list[Run]) -> None:
        """Add the states of a batch."""
        if self._counts is None:
            return
        for run in runs:
            own = self._labels.places[self._order[self._seen + run.start : self._seen + run.stop]]
            rows = states.rows(run.start, run.stop).cpu().to(self._counts.dtype)
            self._counts[run.block].index_add_(0, own.flatten(), rows)
        self._seen += len(states.on)

    def numpy(self) -> NDArray[np.integer]:
        """The counts as an array (B, C, neurons)."""
        assert self._counts is not None
        return self._counts[:, :-1].numpy()
