"""How many weights a sparsity leaves: the one rule everything here counts by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from minima.store.command import BadInput

if TYPE_CHECKING:
    from torch import Tensor


def kept_count(total: int, sparsity: float) -> int:
    """K = N - round(s N) of N prunable weights survive at sparsity s (the fraction removed).

    >>> kept_count(10, 0.2), kept_count(266_200, 0.95)
    (8, 13310)
    """
    return total - round(sparsity * total)


def alive_counts(masks: Mapping[str, Tensor]) -> dict[str, int]:
    """The number of surviving weights of each tensor."""
    return {name: int(mask.sum()) for name, mask in masks.items()}


def alive_count(masks: Mapping[str, Tensor]) -> int:
    """The number of surviving weights of all tensors together."""
    return sum(alive_counts(masks).values())


def size(tensors: Mapping[str, Tensor]) -> int:
    """The number N of scalars in all tensors together."""
    return sum(tensor.numel() for tensor in tensors.values())


def check_sparsities(asked: tuple[float, ...], total: int, alive: int) -> tuple[float, ...]:
    """The asked sparsities, ascending, once it is certain that each can be reached from `alive` of `total` weights."""
    if not asked:
        raise BadInput("--sparsity: no sparsity given; type for example --sparsity 0.95")
    for sparsity in asked:
        if not 0 <= sparsity < 1:
            raise BadInput(
                f"--sparsity {sparsity:g} must lie in [0, 1): it is the fraction of the prunable weights to remove, "
                "for example 0.95"
            )
        kept = kept_count(total, sparsity)
        if kept < 1:
            raise BadInput(f"--sparsity {sparsity!r} leaves none of the {total} prunable weights")
        if kept > alive:
            raise BadInput(
                f"--sparsity {sparsity!r} keeps {kept} of {total} weights, but the checkpoint has only {alive} left "
                f"(sparsity {1 - alive / total:.6g}): ask for at least that, or start from its parent"
            )
    return tuple(sorted(set(asked)))
