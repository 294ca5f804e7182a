"""How often two neurons of a site were ON together, given the class: for all pairs, exactly.

Two ways to the same counts. Position neurons have one state for each example: the states are kept, a byte each, and
tiles of the table of pairs are computed when they are asked for, so that no N x N table is ever needed. Channels have
many states for each example but are few: their table is added up as the states go by.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from entropy.counting.blocks import Blocks, Run
from entropy.counting.states import States

EXACT_IN_FLOAT32 = 2**24


class CoOccurrences(Protocol):
    """Counts of the states of one site in which two neurons were both ON, class by class."""

    def add(self, states: States, runs: list[Run]) -> None:
        """Count a batch.

        Args:
            states: which neurons are ON for its examples.
            runs: the ranges of its examples that are of one block and class.
        """

    def both_on(self, label: int, rows: slice, columns: slice) -> Tensor:
        """In how many states of a class both neurons of each pair were ON.

        Args:
            label: the class, by its place among those that occur.
            rows, columns: ranges of neurons; each of the first is paired with each of the second.

        Returns:
            (rows, columns) counts, int32.
        """


class KeptStates:
    """Every state of a site with one state per example: a byte for each neuron and example."""

    def __init__(self, states: States, blocks: Blocks) -> None:
        per_class = blocks.sizes.sum(0)
        self._stops = per_class.cumsum(0).tolist()
        self._starts = [0, *self._stops[:-1]]
        self._on = torch.empty(self._stops[-1], states.neurons, dtype=torch.uint8, device=states.on.device)
        self._filled = 0

    def add(self, states: States, runs: list[Run]) -> None:  # noqa: ARG002 (examples come class by class)
        """Keep the states of a batch."""
        stop = self._filled + len(states.on)
        self._on[self._filled : stop] = states.on[:, :, 0]
        self._filled = stop

    def both_on(self, label: int, rows: slice, columns: slice) -> Tensor:
        """Counts (rows, columns) of class `label`."""
        own = self._on[self._starts[label] : self._stops[label]]
        return together(own[:, rows], own[:, columns])


class PairTable:
    """The table of pairs (C, n, n) of a site whose neurons are few."""

    def __init__(self, states: States, blocks: Blocks) -> None:
        classes, n = blocks.sizes.shape[1], states.neurons
        self._table = torch.zeros(classes, n, n, dtype=torch.int32, device=states.on.device)

    def add(self, states: States, runs: list[Run]) -> None:
        """Add the pairs of a batch."""
        for run in runs:
            rows = states.rows(run.start, run.stop)
            self._table[run.label] += together(rows, rows)

    def both_on(self, label: int, rows: slice, columns: slice) -> Tensor:
        """Counts (rows, columns) of class `label`."""
        return self._table[label, rows, columns]


def together(left: Tensor, right: Tensor) -> Tensor:
    """left.T @ right of 0/1 states (observations, n), int32; exact: whole numbers that a float32 holds."""
    total = torch.zeros(left.shape[1], right.shape[1], dtype=torch.int32, device=left.device)
    for one, other in zip(left.split(EXACT_IN_FLOAT32), right.split(EXACT_IN_FLOAT32), strict=True):
        total += (one.T.float() @ other.float()).int()
    return total
