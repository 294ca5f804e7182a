"""How many weights a sparsity leaves: the one rule everything here counts by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil
from numbers import Real
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


def kept_at_most(total: int, level: float) -> int:
    """The most that may stay of what goes in lumps, if the part that goes is to be no smaller than `level`.

    A product such as 0.28 * 25, which is 7.000000000000001 in floating point, counts as 7.

    >>> kept_at_most(8, 0.4), kept_at_most(10, 0.3), kept_at_most(25, 0.28)
    (4, 7, 18)
    """
    return total - max(0, ceil((level - 1e-12) * total))


def alive_counts(masks: Mapping[str, Tensor]) -> dict[str, int]:
    """The number of surviving weights of each tensor."""
    return {name: int(mask.sum()) for name, mask in masks.items()}


def alive_count(masks: Mapping[str, Tensor]) -> int:
    """The number of surviving weights of all tensors together."""
    return sum(alive_counts(masks).values())


def size(tensors: Mapping[str, Tensor]) -> int:
    """The number N of scalars in all tensors together."""
    return sum(tensor.numel() for tensor in tensors.values())


MEASURES = {
    "sparsity": "prunable weights",
    "units": "units",
    "flops": "multiply-adds",
    "parameters": "parameters",
    "latency": "time of a forward pass",
}
"""what a target may be a share of, by the flag that asks for it"""


def check_levels(
    asked: tuple[float, ...],
    total: int,
    alive: int,
    measure: str = "sparsity",
    rule: Callable[[int, float], int] = kept_count,
) -> tuple[float, ...]:
    """The shares to remove, ascending, once it is certain that each can be reached from `alive` of `total`.

    `rule` says how much of a total a share leaves.
    """
    check_shares(asked, measure)
    flag, counted = f"--{measure}", MEASURES[measure]
    for level in asked:
        kept = rule(total, level)
        if kept < 1:
            raise BadInput(f"{flag} {level!r} leaves none of the {total} {counted}")
        if kept > alive:
            raise BadInput(
                f"{flag} {level!r} keeps {kept} of {total} {counted.removeprefix('prunable ')}, but the checkpoint has "
                f"only {alive} left ({measure} {1 - alive / total:.6g}): ask for at least that, or start from its "
                "parent"
            )
    return tuple(sorted(set(asked)))


def check_shares(asked: tuple[float, ...], measure: str) -> None:
    """BadInput unless there are some, each of them a share to remove."""
    flag = f"--{measure}"
    if not asked:
        raise BadInput(f"{flag}: no {measure} given; type for example {flag} 0.95")
    for level in asked:
        if not isinstance(level, Real):
            raise BadInput(f"{flag} {level!r}: expected a number, for example 0.95")
        if not 0 <= level < 1:
            raise BadInput(
                f"{flag} {level:g} must lie in [0, 1): it is the fraction of the {MEASURES[measure]} to remove, "
                "for example 0.95"
            )
