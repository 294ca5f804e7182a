"""Exact counts of ON states."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from entropy.counting.blocks import Blocks, Run
from entropy.counting.states import States


def counter(blocks: Blocks, positions: int) -> torch.dtype:
    """The narrowest integers that hold the counts of a site whose neurons have so many positions."""
    largest = int(blocks.sizes.max()) * positions
    return next(kind for kind in (torch.uint8, torch.int16, torch.int32) if largest <= torch.iinfo(kind).max)


class Tally:
    """How often each neuron of one site was ON, per block and class: memory O(blocks x classes x neurons)."""

    def __init__(self, states: States, blocks: Blocks) -> None:
        self.shape, self.positions = states.shape, states.positions
        shape = *blocks.sizes.shape, states.neurons
        self.counts = torch.zeros(shape, dtype=counter(blocks, states.positions), device=states.on.device)

    def add(self, states: States, runs: list[Run]) -> None:
        """Add the states of a batch."""
        for run in runs:
            # A run is within a cell, so its sum fits the counter; adding in narrow integers is ten times as fast.
            own = states.on[run.start : run.stop]
            flat = own[:, :, 0] if self.positions == 1 else own.sum(2, dtype=self.counts.dtype)
            ones = flat.sum(0, dtype=self.counts.dtype)
            self.counts[run.block, run.label] += ones

    def numpy(self) -> NDArray[np.integer]:
        """The counts as an array (B, C, neurons)."""
        return self.counts.cpu().numpy()
