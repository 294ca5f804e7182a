"""The diagonal of a symmetric operator from random probes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from landscape.spectrum.trace import hutchinson
from minima.store.command import BadInput


@dataclass(frozen=True)
class Diagonal:
    """A_ii for every coordinate, with its standard error (NaN for a single probe)."""

    values: Tensor
    """(d,)"""
    stderr: Tensor
    """(d,)"""


class Diagonals:
    """The running mean and scatter of estimates of a diagonal (Welford 1962). Memory: two vectors."""

    def __init__(self) -> None:
        self._count = 0
        self._mean = self._squares = torch.zeros(())

    def add(self, samples: Tensor) -> None:
        """Take in (k, d) independent estimates."""
        for sample in samples:
            self._count += 1
            step = sample - self._mean
            self._mean = self._mean + step / self._count
            self._squares = self._squares + step * (sample - self._mean)

    def estimate(self) -> Diagonal:
        """The mean of all probes so far, with its standard error (NaN of a single probe)."""
        freedom = (self._count - 1) * self._count
        error = (self._squares / freedom).sqrt() if freedom else torch.full_like(self._mean, torch.nan)
        return Diagonal(self._mean, error)


def diagonal(product: Callable[[Tensor], Tensor], signs: Callable[[], Tensor], probes: int) -> Diagonal:
    """E z_i (A z)_i = A_ii over z of independent signs (Bekas, Kokiopoulou, Saad 2007).

    The variance of one probe is the sum of the squared off-diagonal entries of row i. `product`: (k, d) -> (k, d);
    `signs`: a vector (d,) of -1 and 1. The same probes serve `hutchinson` and this.

    Raises:
        BadInput: no probes.

    >>> entries = torch.tensor([2.0, 5.0], dtype=torch.float64)
    >>> diagonal(lambda v: v * entries, lambda: torch.tensor([1.0, -1.0], dtype=torch.float64), 2).values
    tensor([2., 5.], dtype=torch.float64)
    """
    if probes < 1:
        raise BadInput(f"the diagonal from {probes} probes: it takes 1 at least")
    running = Diagonals()
    hutchinson(product, signs, probes, running.add)
    return running.estimate()
