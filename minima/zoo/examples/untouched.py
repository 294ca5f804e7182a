"""Passes of a network that leave its buffers as they were, whatever its forward writes into them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


@contextmanager
def keeping_buffers(model: nn.Module) -> Iterator[None]:
    """Every buffer is the same tensor with the same numbers after the block as before it.

    >>> import torch
    >>> norm = torch.nn.BatchNorm1d(1)
    >>> with keeping_buffers(norm):
    ...     _ = norm(torch.ones(2, 1))
    >>> norm.num_batches_tracked.item()
    0
    """
    import torch
    from torch.nn.parameter import is_lazy

    known = [
        (module, name, tensor, tensor.detach().clone())
        for module in model.modules()
        for name, tensor in module._buffers.items()
        if tensor is not None and not is_lazy(tensor)
    ]
    versions = [None if tensor.is_inference() else tensor._version for _, _, tensor, _ in known]
    try:
        yield
    finally:
        for (module, name, tensor, before), version in zip(known, versions, strict=True):
            module._buffers[name] = tensor
            if version is None or tensor._version != version:
                with torch.inference_mode(tensor.is_inference()), torch.no_grad():
                    tensor.copy_(before)
