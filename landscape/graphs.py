"""What a network makes of some examples, as a graph to be differentiated, and how much memory such graphs take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks


@dataclass(frozen=True)
class Chunk:
    """Some examples, and what the network makes of them, with its graph."""

    examples: slice
    parameters: list[Tensor]
    """what the graph is a function of"""
    outputs: Any
    losses: Tensor
    """(n,) in float64"""


def flat(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors in the parameters' shapes -> (D,) in float64."""
    return torch.cat([tensor.double().flatten() for tensor in tensors])


def saved_bytes(build: Callable[[], Any]) -> int:
    """Bytes of the tensors that autograd saves for the graph that `build` makes and returns, each storage once.

    >>> x = torch.ones(10, requires_grad=True)
    >>> saved_bytes(lambda: x.exp())
    40
    """
    storages: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        graph = build()
    del graph
    return sum(storages.values())
