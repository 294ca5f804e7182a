"""Joint and agreement entropy of all pairs of a layer's neurons, tile by tile of the table of pairs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from entropy.counting.pairs import CoOccurrences
from entropy.information.formulas import Counts

TILE = 512
TABLE = 2**18
"""observations up to which the logarithms of all possible counts are looked up: five times as fast as taking them"""


@dataclass(frozen=True)
class Tile:
    """The pairs i < j of some rows and columns. Entropies in bits, summed over classes."""

    rows: slice
    columns: slice
    joint: Tensor
    """H(s_i, s_j | class) (rows, columns), at most 2 a class; on the diagonal of the table the neuron's own"""
    agreement: Tensor
    """h(P(s_i = s_j | class)) (rows, columns), at most 1 a class"""
    excess: float
    """Miller-Madow correction of the joint entropies, summed over the pairs"""

    @property
    def diagonal(self) -> bool:
        """Whether the tile lies on the diagonal, so that only its upper triangle are pairs i < j."""
        return self.rows == self.columns


def tiles(on: Counts, observed: Counts, together: CoOccurrences, device: torch.device) -> Iterator[Tile]:
    """The joint entropies of all pairs of a layer, tile by tile, from how often each neuron was ON (C, n) of so many
    states (C,), and each pair both.
    """
    present = [label for label, count in enumerate(observed) if count > 0]
    classes = [_Class(label, torch.from_numpy(on[label]).to(device), int(observed[label])) for label in present]
    neurons = on.shape[1]
    parts = [slice(start, min(start + TILE, neurons)) for start in range(0, neurons, TILE)]
    for index, rows in enumerate(parts):
        for columns in parts[index:]:
            shape = rows.stop - rows.start, columns.stop - columns.start
            joint, agreement = torch.zeros(2, *shape, dtype=torch.float64, device=device)
            tile = Tile(rows, columns, joint, agreement, 0.0)
            excess = sum(one_class.add_to(tile, together) for one_class in classes)
            yield Tile(rows, columns, joint, agreement, excess)


class _Class:
    """What is needed of one class: M observations, how often each neuron was ON, and a table of logarithms."""

    def __init__(self, label: int, on: Tensor, observed: int) -> None:
        self.label, self.on, self.observed = label, on.int(), observed
        self._table = None
        if observed <= TABLE:
            self._table = self._bits(torch.arange(observed + 1, dtype=torch.int32, device=on.device))

    def add_to(self, tile: Tile, together: CoOccurrences) -> float:
        """Add this class's joint and agreement entropies to a tile's; its Miller-Madow corrections, summed."""
        both = together.both_on(self.label, tile.rows, tile.columns)
        left, right = self.on[tile.rows, None] - both, self.on[tile.columns] - both
        neither = (self.observed - self.on[tile.rows, None]) - right
        states = (both, left, right, neither)
        for count in states:
            tile.joint.add_(self.bits(count))
        tile.agreement.add_(self.bits(both + neither)).add_(self.bits(left + right))
        pairs = [count.triu(1) if tile.diagonal else count for count in states]
        found = sum(int(torch.count_nonzero(count)) for count in pairs)
        existing = len(both) * (len(both) - 1) // 2 if tile.diagonal else both.numel()
        return (found - existing) / (2 * self.observed * math.log(2))

    def bits(self, count: Tensor) -> Tensor:
        """-p log2 p of p = count / M, of whole numbers 0..M."""
        if self._table is None:
            return self._bits(count)
        return self._table.index_select(0, count.flatten()).view_as(count)

    def _bits(self, count: Tensor) -> Tensor:
        p = count.double() / self.observed
        return -p * torch.log2(p.clamp(min=0.5 / self.observed))
