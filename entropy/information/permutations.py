"""Whether a layer's states tell anything of the labels: a permutation test of its mean information."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from entropy.counting.blocks import Blocks, Run
from entropy.counting.states import States
from entropy.information.formulas import class_information
from minima.store.command import BadInput

Floats = NDArray[np.float64]

BYTES = 2**31
"""memory that permuted labels, or the counts of a site under them, may take"""
LABEL = np.dtype(np.int16)


class Permutations:
    """R random permutations of the labels of all examples (R, N), the same ones for every site."""

    def __init__(self, count: int, seed: int, blocks: Blocks) -> None:
        self.per_class = blocks.sizes.sum(0).numpy()
        _require_memory(count, int(self.per_class.sum()) * LABEL.itemsize, "labels")
        labels = np.repeat(np.arange(len(self.per_class), dtype=LABEL), self.per_class)
        random = np.random.default_rng(seed)
        self.labels = torch.from_numpy(np.stack([random.permutation(labels) for _ in range(count)]))


class PermutedTally:
    """ON states per class and neuron under random permutations of the labels (R, C, n), the examples being the same."""

    def __init__(self, permutations: Permutations, states: States) -> None:
        self._labels, self._classes, self._filled = permutations.labels, len(permutations.per_class), 0
        self._observed = permutations.per_class * states.positions
        counts = self._classes * states.neurons
        what = f"counts of the {states.neurons:,} neurons of {states.name}"
        _require_memory(len(self._labels), counts * torch.int32.itemsize, what)
        shape = len(self._labels) * self._classes, states.neurons
        self._counts = torch.zeros(shape, dtype=torch.int32, device=states.on.device)

    def add(self, states: States, runs: list[Run]) -> None:  # noqa: ARG002 (a batch is counted as a whole)
        """Add the states of a batch."""
        on = states.on.sum(2, dtype=torch.float32)
        labels = self._labels[:, self._filled : self._filled + len(on)]
        self._filled += len(on)
        indicator = torch.nn.functional.one_hot(labels.long(), self._classes)  # (R, N, C)
        self._counts += (indicator.transpose(1, 2).flatten(0, 1).to(on) @ on).int()

    def information(self) -> Floats:
        """I(state; label) of each neuron under each permutation, in bits (R, n)."""
        counts = self._counts.view(len(self._labels), self._classes, -1).cpu().numpy()
        return np.stack([class_information(each, self._observed) for each in counts])


def _require_memory(permutations: int, bytes_each: int, what: str) -> None:
    if permutations * bytes_each > BYTES:
        raise BadInput(
            f"--permutations {permutations} would take {permutations * bytes_each / 2**30:.0f} GiB for the {what}.\n"
            "Use fewer permutations, or --neurons channel"
        )


def permutation_p(observed: Floats, permuted: Floats) -> Floats:
    """The chance of so large a value were the labels random: (1 + #{permuted >= observed}) / (1 + R), over axis 0.

    Never 0 (Phipson and Smyth 2010).

    >>> float(permutation_p(np.array(2.0), np.array([1.0, 2.0, 3.0])))
    0.75
    """
    return np.asarray((1 + (permuted >= observed).sum(0)) / (1 + len(permuted)), dtype=np.float64)
