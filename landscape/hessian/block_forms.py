"""Products taken block by block of the examples, so that what each block has of a quotient costs no product more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from landscape.spectrum.example_blocks import blocks_of

if TYPE_CHECKING:
    from landscape.objective.objective import Objective
    from landscape.spectrum.operator import Operator, Product

SMALLER = 0.75
"""of what is computed at once: blocks that are smaller cost more than they spare"""
INSIDE = 1e-6
"""relative: how far outside of the span a vector may lie, by rounding"""


class BlockForms:
    """v -> A v as the mean of A_b v over blocks of the examples, and x.A_b x of any x in the span of such v.

    With M_b = V A_b V^T for the rows v of V, of which each product tells a row, x = c V has x.A_b x = c M_b c.

    >>> parts = [lambda v: 1.0 * v, lambda v: torch.tensor([1.0, 3.0]) * v]
    >>> forms = BlockForms(parts, [1.0, 1.0])
    >>> forms.product(torch.tensor([1.0, 0.0])), forms.product(torch.tensor([1.0, 1.0])).tolist()
    (tensor([1., 0.]), [1.0, 2.0])
    >>> forms.quotients(torch.tensor([[0.0, 2.0]])).round(decimals=6).tolist()
    [[4.0], [12.0]]
    """

    def __init__(self, parts: Sequence[Product], weights: Sequence[float]) -> None:
        """`parts`: v (d,) -> A_b v; `weights`: of the blocks' examples, summed."""
        self.parts, self.weights = parts, weights
        self._vectors: list[Tensor] = []
        self._rows: list[Tensor] = []
        """of the j-th vector (blocks, j + 1): its products with it and those before"""

    @staticmethod
    def of(operator: Operator, objective: Objective, seed: int, vectors: int) -> BlockForms | None:
        """Products by blocks of an objective's examples; None where blocks are so small that it does not pay, or where
        there is no room for twice so many `vectors`.
        """
        keeper, used = objective.keeper, len(objective.x)
        blocks = blocks_of(objective, seed)
        small = used < SMALLER * len(blocks) * min(objective.batch_size, used)
        if small or objective.ranks.size > 1 or 16 * vectors * objective.dimension > keeper.vector_bytes:
            return None
        objective.release()
        share = keeper.memory // len(blocks)
        parts = [objective.of(rows) for rows in blocks.rows]
        for part in parts:
            part.keeper.memory = share
        return BlockForms([operator.product(part, seed) for part in parts], blocks.weights)

    def product(self, vector: Tensor) -> Tensor:
        """The product A v with a vector (d,), which is kept: later quotients are of the span of all of them."""
        total, made, row = sum(self.weights) or 1.0, torch.zeros_like(vector, dtype=torch.float64), []
        self._vectors.append(vector.detach().clone())
        for part, weight in zip(self.parts, self.weights, strict=True):
            own = part(vector).double()
            row.append(torch.stack([own @ each.double() for each in self._vectors]))
            made.add_(own, alpha=weight / total)
        self._rows.append(torch.stack(row))
        return made.to(vector)

    def release(self) -> None:
        """Free graphs and vectors: no more will be asked."""
        self.parts, self._vectors, self._rows = (), [], []

    def quotients(self, vectors: Tensor) -> Tensor | None:
        """(blocks, k) x.A_b x of each of `vectors` (k, d); None where one is no sum of those that products were of."""
        if not self._vectors:
            return None
        known, count = torch.stack(self._vectors).double(), len(self._vectors)
        sizes = known.norm(dim=1, keepdim=True).clamp_min(1e-300)
        known /= sizes
        parts = torch.linalg.lstsq(known @ known.T, known @ vectors.double().T).solution  # (m, k)
        missed = (vectors - parts.T @ known).norm(dim=1) / vectors.norm(dim=1)
        if not bool((missed <= INSIDE).all()):
            return None
        forms = known.new_zeros(len(self.parts), count, count)
        for place, row in enumerate(self._rows):
            forms[:, place, : place + 1] = forms[:, : place + 1, place] = row
        scaled = parts / sizes
        return torch.einsum("ik,bij,jk->bk", scaled, forms, scaled)
