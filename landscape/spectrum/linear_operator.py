"""A symmetric matrix that is known by its products, for SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator
from torch import Tensor


def as_linear_operator(
    product: Callable[[Tensor], Tensor], dimension: int, device: torch.device | str = "cpu"
) -> LinearOperator:
    """A SciPy operator (d, d) in float64, for `scipy.sparse.linalg.eigsh` and its like.

    `product`: v (d,) or (k, d) -> A v of the same shape, A symmetric, such as `objective.hvp` or what the `product` of
    a member of `landscape.spectrum.operators` returns; `device`: where it wants v.

    >>> from scipy.sparse.linalg import eigsh
    >>> diagonal = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
    >>> eigsh(as_linear_operator(lambda v: v * diagonal, 3), k=1, return_eigenvectors=False).round(9)
    array([4.])
    """

    def matmat(columns: NDArray[Any]) -> NDArray[np.float64]:
        """(d, k) -> (d, k)"""
        rows = torch.from_numpy(np.array(columns.T, dtype=np.float64, order="C")).to(device)
        return product(rows).cpu().numpy().T

    def matvec(vector: NDArray[Any]) -> NDArray[np.float64]:
        """(d,) or (d, 1) -> (d,)"""
        return matmat(vector.reshape(-1, 1))[:, 0]

    return LinearOperator(
        (dimension, dimension), matvec=matvec, rmatvec=matvec, matmat=matmat, rmatmat=matmat, dtype=np.float64
    )
