"""The trace of a symmetric operator from random probes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

BLOCK = 8  # probes that share the graph of a gradient; their products lie in memory together


@dataclass(frozen=True)
class Estimate:
    """A mean over random draws, with its standard error (None for a single draw)."""

    value: float
    stderr: float | None
    samples: tuple[float, ...]


def hutchinson(
    product: Callable[[Tensor], Tensor],
    signs: Callable[[], Tensor],
    probes: int,
    observe: Callable[[Tensor], object] | None = None,
) -> Estimate:
    """E z.Hz = trace H over z of independent signs (Hutchinson 1990).

    `product`: (k, d) -> (k, d), the operator on several vectors; `signs`: a vector (d,) of -1 and 1; `observe` is shown
    the z_i (Hz)_i (k, d), of which each is an estimate of H_ii. With a diagonal operator each probe is exact:

    >>> diagonal = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
    >>> hutchinson(lambda v: v * diagonal, lambda: torch.tensor([1.0, -1.0, 1.0], dtype=torch.float64), 2)
    Estimate(value=7.0, stderr=0.0, samples=(7.0, 7.0))
    """
    samples: list[float] = []
    while len(samples) < probes:
        block = torch.stack([signs() for _ in range(min(BLOCK, probes - len(samples)))])  # (k, d)
        each = block * product(block)
        if observe is not None:
            observe(each)
        samples += each.sum(1).tolist()
    return estimate(samples)


def in_blocks(product: Callable[[Tensor], Tensor], vectors: Tensor) -> Tensor:
    """The operator on each row of (k, d), `BLOCK` rows at once."""
    return torch.cat([product(rows) for rows in vectors.split(BLOCK)])


def estimate(samples: Sequence[float]) -> Estimate:
    """Mean and standard error of independent samples.

    >>> estimate([1.0, 3.0])
    Estimate(value=2.0, stderr=1.0, samples=(1.0, 3.0))
    """
    count = len(samples)
    mean = math.fsum(samples) / count
    if count == 1:
        return Estimate(mean, None, tuple(samples))
    variance = math.fsum((sample - mean) ** 2 for sample in samples) / (count - 1)
    return Estimate(mean, math.sqrt(variance / count), tuple(samples))
