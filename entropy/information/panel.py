"""The image error of a layer's mean pair entropy, from the pairs among a few of its neurons."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from entropy.counting.blocks import Blocks, Run
from entropy.counting.pairs import together
from entropy.counting.states import States
from entropy.information.formulas import joint_entropy

Floats = NDArray[np.float64]

PANEL = 48
"""neurons in the panel: 1,128 pairs"""


class Panel:
    """Joint states of all pairs of at most `PANEL` neurons, drawn at random, per block of examples and class.

    Leaving a block of examples out of every pair of a wide layer would cost as much as all pairs, twenty times. The
    mean over a panel's pairs moves with the images as the mean over all pairs does, or a little more.
    """

    def __init__(self, states: States, blocks: Blocks, seed: int) -> None:
        chosen = np.random.default_rng(seed).permutation(states.neurons)[:PANEL]
        self._chosen = torch.from_numpy(np.sort(chosen)).to(states.on.device)
        size = len(chosen)
        self._both = torch.zeros(*blocks.sizes.shape, size, size, dtype=torch.int32, device=states.on.device)
        self._observed = blocks.sizes.numpy() * states.positions

    def add(self, states: States, runs: list[Run]) -> None:
        """Add the pairs of a batch."""
        for run in runs:
            rows = states.rows(run.start, run.stop)[:, self._chosen]
            self._both[run.block, run.label] += together(rows, rows)

    def counts(self) -> NDArray[np.integer]:
        """The four joint states of each pair (B, C, pairs, 4)."""
        both = self._both.cpu().numpy()
        left, right = np.triu_indices(both.shape[-1], k=1)
        on = both.diagonal(axis1=2, axis2=3)
        both_on, left_on, right_on = both[..., left, right], on[..., left], on[..., right]
        off = self._observed[:, :, None] - left_on - right_on + both_on
        return np.stack([off, left_on - both_on, right_on - both_on, both_on], axis=-1)


def leave_one_out_joint_means(counts: NDArray[np.integer]) -> Floats:
    """Corrected mean joint entropy (B,) with each block left out, from counts of joint states (B, C, tuples, 2^n)."""
    total = counts.sum(0, dtype=np.int64)
    return np.array([joint_entropy(total - block, corrected=True).mean() for block in counts])
