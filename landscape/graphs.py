"""How much memory the graph of a gradient takes, which a Hessian-vector product differentiates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks


def saved_bytes(build: Callable[[], Any]) -> int:
    """Bytes of the tensors that autograd saves for the graph that `build` makes and returns, each storage once.

    >>> import torch
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
