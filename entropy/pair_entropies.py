"""Joint and agreement entropy of all pairs of a layer's neurons, tile by tile of the table of pairs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from entropy.formulas import Counts
from entropy.pairs import CoOccurrences

TILE = 512


@dataclass(frozen=True)
class Tile:
    """The pairs i < j of some rows and columns. Entropies in bits, summed over classes."""

    rows: Tensor
    columns: Tensor
    pairs: Tensor
    """bool (rows, columns): which cells are pairs i < j"""
    joint: Tensor
    """H(s_i, s_j | class) (rows, columns), at most 2 a class"""
    agreement: Tensor
    """h(P(s_i = s_j | class)) (rows, columns), at most 1 a class"""
    corrected: Tensor
    """`joint` with the Miller-Madow correction"""


def tiles(on: Counts, observed: Counts, together: CoOccurrences, device: torch.device) -> Iterator[Tile]:
    """All pairs of a layer, from how often each neuron was ON (C, n) of so many states (C,), and each pair both.

    Where a neuron is constant in a class, the pair's joint and agreement entropy there are the other one's entropy.
    Only pairs that both vary are counted.
    """
    present = [label for label, count in enumerate(observed) if count > 0]
    classes = [_Class(label, torch.from_numpy(on[label]).to(device), int(observed[label])) for label in present]
    parts = torch.arange(on.shape[1], device=device).split(TILE)
    for index, rows in enumerate(parts):
        for columns in parts[index:]:
            tile = [torch.zeros(len(rows), len(columns), dtype=torch.float64, device=device) for _ in range(3)]
            for one_class in classes:
                one_class.add_to(tile, rows, columns, together)
            yield Tile(rows, columns, rows[:, None] < columns, *tile)


class _Class:
    """What is needed of one class: M observations, and each neuron's count, entropy and correction."""

    def __init__(self, label: int, on: Tensor, observed: int) -> None:
        self.label, self.on, self.observed = label, on.double(), observed
        self.varying = (on > 0) & (on < observed)
        self.entropy = self._bits(self.on) + self._bits(observed - self.on)
        self.excess = self.varying / (2 * observed * math.log(2))

    def add_to(self, tile: list[Tensor], rows: Tensor, columns: Tensor, together: CoOccurrences) -> None:
        """Add this class's joint, agreement and corrected joint entropies to a tile's."""
        joint, agreement, corrected = tile
        alone = self.entropy[rows][:, None] + self.entropy[columns]
        excess = self.excess[rows][:, None] + self.excess[columns]
        joint += alone
        agreement += alone
        corrected += alone + excess
        among = self.varying[rows].nonzero()[:, 0], self.varying[columns].nonzero()[:, 0]
        i, j = rows[among[0]], columns[among[1]]
        if not len(i) or not len(j):
            return
        cells = among[0][:, None], among[1]
        both = together.both_on(self.label, i, j)
        left, right = self.on[i][:, None] - both, self.on[j] - both
        neither = self.observed - left - right - both
        states = (both, left, right, neither)
        shared = sum((self._bits(count) for count in states), -alone[cells])  # H(i, j) - H(i) - H(j)
        observed_states = sum((count > 0).double() for count in states)
        joint[cells] += shared
        corrected[cells] += shared + (observed_states - 1) / (2 * self.observed * math.log(2)) - excess[cells]
        agreement[cells] += self._bits(both + neither) + self._bits(left + right) - alone[cells]

    def _bits(self, count: Tensor) -> Tensor:
        """-p log2 p of p = count / M."""
        p = count / self.observed
        return -p * torch.log2(p.clamp(min=0.5 / self.observed))
