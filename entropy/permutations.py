"""Whether a layer's states tell anything of the labels: a permutation test of its mean information."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from entropy.blocks import Blocks, Run
from entropy.formulas import class_information
from entropy.states import States
from store.command import BadInput

Floats = NDArray[np.float64]

BYTES = 2**31
"""memory the counts under permuted labels may take"""


class PermutedTally:
    """ON states per class and neuron under R random permutations of the labels (R, C, n), the examples being the same.

    The permutations are of all examples at once; the same ones for every site.
    """

    def __init__(self, permutations: int, seed: int, states: States, blocks: Blocks) -> None:
        per_class = blocks.sizes.sum(0)
        self._classes, self._filled = len(per_class), 0
        size = permutations * self._classes * states.neurons * torch.int32.itemsize
        if size > BYTES:
            raise BadInput(
                f"--permutations {permutations} would take {size / 2**30:.0f} GiB for the {states.neurons:,} neurons "
                f"of {states.name}.\nUse fewer permutations, or --neurons channel"
            )
        labels, random = np.repeat(np.arange(self._classes), per_class.numpy()), np.random.default_rng(seed)
        self._labels = torch.from_numpy(np.stack([random.permutation(labels) for _ in range(permutations)]))
        self._observed = per_class.numpy() * states.positions
        self._counts = torch.zeros(permutations * self._classes, states.neurons, dtype=torch.int32)
        self._counts = self._counts.to(states.on.device)

    def add(self, states: States, runs: list[Run]) -> None:  # noqa: ARG002 (a batch is counted as a whole)
        """Add the states of a batch."""
        on = states.on.sum(2, dtype=torch.float32)
        labels = self._labels[:, self._filled : self._filled + len(on)]
        self._filled += len(on)
        indicator = torch.nn.functional.one_hot(labels, self._classes)  # (R, N, C)
        self._counts += (indicator.transpose(1, 2).flatten(0, 1).to(on) @ on).int()

    def information(self) -> Floats:
        """I(state; label) of each neuron under each permutation, in bits (R, n)."""
        counts = self._counts.view(len(self._labels), self._classes, -1).cpu().numpy()
        return np.stack([class_information(each, self._observed) for each in counts])


def permutation_p(observed: Floats, permuted: Floats) -> Floats:
    """The chance of so large a value were the labels random: (1 + #{permuted >= observed}) / (1 + R), over axis 0.

    Never 0 (Phipson and Smyth 2010).

    >>> float(permutation_p(np.array(2.0), np.array([1.0, 2.0, 3.0])))
    0.75
    """
    return np.asarray((1 + (permuted >= observed).sum(0)) / (1 + len(permuted)), dtype=np.float64)
