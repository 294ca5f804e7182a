"""The diagonal of a symmetric operator from random probes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from store.command import BadInput


@dataclass(frozen=True)
class Diagonal:
    """A_ii for every coordinate, with its standard error (NaN for a single probe)."""

    values: Tensor
    """(d,)"""
    stderr: Tensor
    """(d,)"""


def diagonal(product: Callable[[Tensor], Tensor], signs: Callable[[], Tensor], probes: int) -> Diagonal:
    """E z_i (A z)_i = A_ii over z of independent signs (Bekas, Kokiopoulou, Saad 2007).

    The variance of one probe is the sum of the squared off-diagonal entries of row i. `product`: (d,) -> (d,);
    `signs`: a vector (d,) of -1 and 1. Memory: three vectors.

    Raises:
        BadInput: no probes.

    >>> matrix = torch.tensor([[2.0, 0.0], [0.0, 5.0]], dtype=torch.float64)
    >>> diagonal(matrix.mv, lambda: torch.tensor([1.0, -1.0], dtype=torch.float64), 2).values
    tensor([2., 5.], dtype=torch.float64)
    """
    if probes < 1:
        raise BadInput(f"the diagonal from {probes} probes: it takes 1 at least")
    probe = signs()
    mean, squares = torch.zeros_like(probe), torch.zeros_like(probe)
    for count in range(1, probes + 1):  # Welford's running mean and sum of squares
        probe = probe if count == 1 else signs()
        sample = probe * product(probe)
        step = sample - mean
        mean = mean + step / count
        squares = squares + step * (sample - mean)
    error = (squares / ((probes - 1) * probes)).sqrt() if probes > 1 else torch.full_like(mean, torch.nan)
    return Diagonal(mean, error)
