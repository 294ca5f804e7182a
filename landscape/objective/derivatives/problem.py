"""What derivatives are checked of: a network, its loss, what may move, and a few examples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from landscape.objective.derivatives.differences import Loss, Tensors
from landscape.objective.streams import stream

if TYPE_CHECKING:
    from landscape.objective.coordinates import Coordinates
    from landscape.passes.network import Network

COUNT, FURTHER = 4, 64
"""examples on which derivatives are checked, and on which it is seen that a tensor has no say"""
AWAY = 1e-3
"""of each tensor's norm: how far from w, off the kinks of units that nothing reaches"""
Summed = Callable[[Any, Any], Tensor]
"""outputs and targets of some examples -> their summed loss"""


@dataclass(frozen=True)
class Problem:
    """`x`, `y`: inputs and targets of all examples, of which those that `some` names are looked at."""

    network: Network
    summed: Summed
    coordinates: Coordinates
    x: Any
    y: Any
    count: int = COUNT

    @property
    def few(self) -> tuple[Any, Any]:
        """Inputs and targets of the examples that are looked at, drawn at random, in order."""
        drawn = torch.randperm(len(self.x), generator=stream(0, "derivative check", "examples"))
        rows = drawn[: self.count].sort().values.tolist()
        return self.x[rows], self.y[rows]

    @property
    def further(self) -> Problem:
        """The same problem with more of the examples."""
        return replace(self, count=FURTHER)

    def loss(self, dtype: torch.dtype | None = None) -> Loss:
        """The loss as a function of the parameters that count, in float64 or in the network's own data types (None)."""
        x, y = self.few
        if dtype is None:
            return Loss(lambda tensors: self.summed(self.network(tensors, x), y))
        network, x = self.network.in_double(), _in_double(x)
        y = _in_double(y) if torch.is_tensor(y) else y
        return Loss(lambda tensors: self.summed(network(tensors, x), y))

    @property
    def point(self) -> Tensors:
        """w in the network's own data types."""
        return self.coordinates.tensors(self.coordinates.full, native=True)

    @property
    def moving(self) -> Tensors:
        """Tensors by name that are True where a number may move."""
        index = self.coordinates.index
        moves = torch.full(self.coordinates.full.shape, index is None, device=self.coordinates.full.device)
        return self.coordinates.tensors(moves if index is None else moves.index_fill_(0, index, True))

    def beside(self, dtype: torch.dtype | None) -> Tensors:
        """w displaced at random, tensor by tensor."""
        own, made = self.coordinates.tensors(self.coordinates.full), self.displacement()
        for name, change in made.items():
            made[name] = change.mul_(AWAY).add_(own[name]).to(dtype or self.coordinates.dtypes[name])
        return made

    def displacement(self) -> Tensors:
        """A random displacement, for each tensor as long as the tensor itself; one of zeros moves as others do, number
        for number.
        """
        coordinates, draws, moves = self.coordinates, stream(0, "derivative check", "w"), self.moving
        typical = float(coordinates.full.norm()) / max(1, len(coordinates.full)) ** 0.5 or 1.0
        made = {}
        for name, tensor in coordinates.tensors(coordinates.full).items():
            change = normal(tensor, draws).mul_(moves[name])
            size = float(tensor.norm()) or typical * tensor.numel() ** 0.5
            made[name] = change.mul_(size / max(float(change.norm()), 1e-300))
        return made


def normal(like: Tensor, draws: torch.Generator) -> Tensor:
    """Standard normal numbers of the shape of `like`, drawn in float64."""
    return torch.randn(like.shape, generator=draws, dtype=torch.float64).to(like.device)


def _in_double(x: Any) -> Any:
    return x.to(torch.float64) if x.is_floating_point() else x
