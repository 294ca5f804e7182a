"""Layer densities of a random graph between units: the kernel form of the Erdos-Renyi rule (ERK, Evci et al. 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruning.scopes.each_layer import shared_out

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class ErdosRenyi:
    """A tensor of dimensions n_1 ... n_k has the density min(1, e (n_1 + ... + n_k) / (n_1 ... n_k)).

    So it keeps e (n_1 + ... + n_k) weights: shares go by the sum of the dimensions, and what a dense tensor has no room
    for goes to the others, which settles e. Small tensors stay dense, large ones become the sparsest.
    """

    def pools(self, context: Context, alive: dict[str, Tensor], kept: int) -> list[tuple[tuple[str, ...], int]]:
        return shared_out({name: sum(context.weights[name].shape) for name in alive}, alive, kept)
