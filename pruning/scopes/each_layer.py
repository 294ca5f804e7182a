"""Every tensor keeps the same fraction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruning.context.counts import alive_counts

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class EachLayer:
    """Each tensor keeps the same fraction: it is a pool of its own, its share in proportion to its size; shares sum
    exactly.
    """

    def pools(self, context: Context, alive: dict[str, Tensor], kept: int) -> list[tuple[tuple[str, ...], int]]:  # noqa: ARG002
        return shared_out({name: mask.numel() for name, mask in alive.items()}, alive, kept)


def shared_out(sizes: Mapping[str, int], alive: Mapping[str, Tensor], kept: int) -> list[tuple[tuple[str, ...], int]]:
    """Share out `kept` among tensors in proportion to `sizes`, as far as they have weights left: a pool for each.

    >>> import torch
    >>> shared_out({"a": 10, "b": 30}, {"a": torch.ones(10) > 0, "b": torch.ones(30) > 0}, 20)
    [(('a',), 5), (('b',), 15)]
    """
    shares = apportion(sizes, alive_counts(alive), kept)
    return [((name,), share) for name, share in shares.items()]


def apportion(sizes: Mapping[str, int], limits: Mapping[str, int], total: int) -> dict[str, int]:
    """Integers that sum to `total`, in proportion to `sizes` by largest remainders, none above its limit.

    What one tensor has no room for is shared out among the others.

    >>> apportion({"a": 1, "b": 1, "c": 1}, {"a": 9, "b": 9, "c": 9}, 7)
    {'a': 3, 'b': 2, 'c': 2}
    >>> apportion({"a": 10, "b": 30}, {"a": 10, "b": 6}, 12)
    {'a': 6, 'b': 6}
    """
    full: dict[str, int] = {}
    while True:
        rest = total - sum(full.values())
        open_sizes = {name: size for name, size in sizes.items() if name not in full}
        whole = max(1, sum(open_sizes.values()))
        over = {name: limits[name] for name, size in open_sizes.items() if rest * size > limits[name] * whole}
        if not over:
            break
        full |= over
    if rest and not open_sizes:
        raise ValueError(f"{total} weights are to be kept, but only {sum(limits.values())} are left")
    shares = full | {name: rest * size // whole for name, size in open_sizes.items()}
    by_remainder = sorted(open_sizes, key=lambda name: -(rest * open_sizes[name] % whole))
    for name in by_remainder[: total - sum(shares.values())]:
        shares[name] += 1
    return {name: shares[name] for name in sizes}
