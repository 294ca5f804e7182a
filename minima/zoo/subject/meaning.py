"""Whether a file's tensor keeps its meaning in a network: of another dtype or kind it may say something else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def changed(name: str, found: Tensor, own: Tensor) -> str | None:
    """Why the file's tensor `name` cannot stand for the network's, and what to do; None where it can.

    >>> import torch
    >>> changed("fc.weight", torch.ones(2, dtype=torch.bfloat16), torch.ones(2)) is None
    True
    >>> changed("fc.weight", torch.ones(2, dtype=torch.int8), torch.ones(2)).split(":")[0]
    'fc.weight holds int8 numbers, where the network has float32'
    """
    reason = _kind_changed(found, own) or _number_changed(found, own)
    return reason and f"{name} {reason}"


def _kind_changed(found: Tensor, own: Tensor) -> str | None:
    kind, wanted = _short(found), _short(own)
    if found.is_meta:
        return "has a shape but no values (device meta). Save the network after its weights are there"
    if found.is_nested:
        return "is a nested tensor, the network's is not. Save it as an ordinary tensor"
    if found.is_quantized and not own.is_quantized:
        return f"is quantised ({kind}), the network's is {wanted}. Save tensor.dequantize() in its place"
    return None


def _number_changed(found: Tensor, own: Tensor) -> str | None:
    kind, wanted = _short(found), _short(own)
    if found.is_complex() and not own.is_complex():
        return (
            f"is {kind}, where the network has {wanted}: its imaginary part would be lost.\n"
            "Name the network with complex weights, or save the real part alone"
        )
    if not own.is_floating_point():
        return None
    if not found.is_floating_point():
        return (
            f"holds {kind} numbers, where the network has {wanted}: codes without their scale?\n"
            "Save the weights that they stand for, as float32"
        )
    if found.dtype.itemsize == 1:
        return (
            f"is {kind}, where the network has {wanted}: such numbers want a scale beside them.\n"
            "Save the weights that they stand for (times their scale), as float32"
        )
    return None


def dense(tensor: Tensor) -> Tensor:
    """The tensor with every element in its place, whatever its layout."""
    import torch

    return tensor if tensor.layout == torch.strided else tensor.to_dense()


def loses(found: Tensor, own: Tensor) -> bool:
    """Whether an integer or bool tensor of the network cannot hold the file's values."""
    if own.is_floating_point() or own.is_complex() or found.dtype == own.dtype:
        return False
    return not bool((found.to(own.dtype).to(found.dtype) == found).all())


def _short(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
