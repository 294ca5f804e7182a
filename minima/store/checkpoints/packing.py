"""Sparse tensors in little space: the mask as packed bits, and the values of the survivors.

A float32 tensor of n weights with s survivors takes 4 s + n / 8 bytes instead of 4 n.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def pack_bits(mask: Tensor) -> Tensor:
    """A bool mask as ceil(n / 8) bytes, its elements in row-major order, the first in the highest bit.

    >>> import torch
    >>> pack_bits(torch.tensor([[True, False], [False, True]])).tolist()
    [144]
    """
    import numpy as np
    import torch

    return torch.from_numpy(np.packbits(mask.detach().cpu().numpy()))


def unpack_bits(bits: Tensor, shape: Sequence[int]) -> Tensor:
    """The bool mask of this shape that `pack_bits` packed.

    Raises:
        ValueError: there are not as many bits as the shape needs.
    """
    import numpy as np
    import torch

    count = math.prod(shape)
    if bits.dtype != torch.uint8 or bits.numel() != -(-count // 8):
        raise ValueError(f"{bits.numel()} bytes of mask where shape {tuple(shape)} needs {-(-count // 8)}")
    return torch.from_numpy(np.unpackbits(bits.numpy(), count=count).astype(bool)).reshape(tuple(shape))


def pack(tensor: Tensor, mask: Tensor) -> dict[str, Any]:
    """A tensor whose removed elements are 0, as `shape`, `mask` (packed bits) and `values` (the survivors').

    Raises:
        ValueError: mask and tensor differ in shape, or a removed element is not 0 and would be lost.

    >>> import torch
    >>> pack(torch.tensor([0.0, 2.5, 0.0]), torch.tensor([False, True, False]))
    {'shape': [3], 'mask': tensor([64], dtype=torch.uint8), 'values': tensor([2.5000])}
    """
    if mask.shape != tensor.shape:
        raise ValueError(f"the mask has shape {tuple(mask.shape)}, the tensor {tuple(tensor.shape)}")
    flat, kept = tensor.detach().cpu().reshape(-1), mask.detach().cpu().bool().reshape(-1)
    if flat[~kept].count_nonzero():
        raise ValueError(f"{int(flat[~kept].count_nonzero())} removed weights are not 0")
    return {"shape": list(tensor.shape), "mask": pack_bits(kept), "values": flat[kept]}


def unpack(packed: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
    """The tensor and its bool mask, from what `pack` made of them."""
    import torch

    values, shape = packed["values"], packed["shape"]
    mask = unpack_bits(packed["mask"], shape)
    if int(mask.sum()) != values.numel():
        raise ValueError(f"{values.numel()} values for {int(mask.sum())} survivors")
    tensor = torch.zeros(shape, dtype=values.dtype)
    tensor[mask] = values
    return tensor, mask
