"""Joint states of sampled n-tuples of neurons, counted exactly."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import torch
from numpy.typing import NDArray

from entropy.counting.blocks import Blocks, Run
from entropy.counting.states import States

CODES = 2**22
"""joint states looked at together"""


def draw_tuples(neurons: int, order: int, count: int, seed: int) -> NDArray[np.int64]:
    """`count` different sets of `order` neurons, (count, order), each row ascending; all there are if they are fewer.

    Uniform and without replacement over the C(neurons, order) sets.

    >>> draw_tuples(3, 2, 10, seed=0).tolist()
    [[0, 1], [0, 2], [1, 2]]
    """
    if comb(neurons, order) <= count:
        return np.array(list(combinations(range(neurons), order)), dtype=np.int64).reshape(-1, order)
    random, found = np.random.default_rng(seed), np.empty((0, order), dtype=np.int64)
    while len(found) < count:
        drawn = np.sort(random.integers(neurons, size=(2 * count, order)), axis=1)
        found = np.concatenate([found, drawn[(np.diff(drawn, axis=1) > 0).all(1)]])
        _, first = np.unique(found, axis=0, return_index=True)
        found = found[np.sort(first)]  # in the order drawn: cutting the sorted sets short would favour low neurons
    return found[:count]


class TupleTally:
    """How often each joint state of chosen tuples occurred, per block and class: (B, C, tuples, 2^n)."""

    def __init__(self, tuples: NDArray[np.int64], states: States, blocks: Blocks) -> None:
        self.tuples = tuples
        count, order = tuples.shape
        device = states.on.device
        self._columns = torch.from_numpy(tuples).to(device)
        self._offsets = torch.arange(count, device=device) * 2**order
        self.counts = torch.zeros(*blocks.sizes.shape, count, 2**order, dtype=torch.int32, device=device)

    def add(self, states: States, runs: list[Run]) -> None:
        """Add the joint states of a batch."""
        for run in runs:
            own = self.counts[run.block, run.label]
            for rows in states.rows(run.start, run.stop).split(max(1, CODES // len(self.tuples))):
                codes = self._offsets.repeat(len(rows), 1)  # (observations, tuples)
                for digit, columns in enumerate(self._columns.T):
                    codes.add_(rows[:, columns], alpha=2**digit)
                own += codes.flatten().bincount(minlength=own.numel()).view_as(own)

    def numpy(self) -> NDArray[np.int32]:
        """The counts as an array (B, C, tuples, 2^n)."""
        return self.counts.cpu().numpy()
