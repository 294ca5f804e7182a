"""The largest eigenvalues of a symmetric operator that is known by its products with vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from landscape.krylov import Floats, Krylov, Ritz
from store.command import BadInput

By = Literal["value", "magnitude"]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Eigenpairs:
    """The k largest eigenvalues, descending by value."""

    values: Floats
    """(k,)"""
    residuals: Floats
    """(k,) ||H v - l v|| / max(|l|, 1e-6 |l_1|), l_1 being the largest in magnitude"""
    vectors: Tensor
    """(k, d) unit eigenvectors"""
    products: int
    """matrix-vector products spent"""
    converged: bool


def top_eigenpairs(
    product: Callable[[Tensor], Tensor],
    draw: Callable[[], Tensor],
    dimension: int,
    top: int = 5,
    *,
    tolerance: float = 1e-3,
    by: By = "value",
    max_products: int | None = None,
) -> Eigenpairs:
    """The `top` eigenpairs that are largest by value or in magnitude, each eigenvalue to a relative `tolerance`.

    Lanczos (1950) with full reorthogonalisation in float64. `product`: v (d,) -> H v; `draw`: a random vector (d,).
    Converged when every relative residual r is at most the tolerance. The error of an eigenvalue l is often nearer to
    r^2 |l| / gap (gap: distance to the nearest other Ritz value), but two eigenvalues closer than r look like one that
    lies between them, and only r tells. A start vector sees one eigenvector of a multiple eigenvalue only, so the
    answer must stand when a second random start joins, for a third as many products (4 to 10). After `max_products`
    (default: the larger of 100 and 10 x top) what is known is returned with `converged` False.

    >>> import torch
    >>> matrix = torch.diag(torch.tensor([3.0, 3.0, 1.0, -5.0], dtype=torch.float64))
    >>> draw = lambda: torch.randn(4, dtype=torch.float64)
    >>> top_eigenpairs(matrix.mv, draw, 4, 2).values.round(9)
    array([3., 3.])
    """
    if not 1 <= top <= dimension:
        raise BadInput(
            f"{top} eigenvalues were asked for, but the operator acts on {dimension} coordinates: no more exist"
        )
    limit = min(dimension, max(top, max_products or max(100, 10 * top)))
    basis = Krylov(product, draw, dimension)
    search = _Search(basis, top, tolerance, by)
    while len(basis.applied) < limit and (basis.queue or basis.start()):
        basis.apply(depth_first=search.confirming)
        if search.finished():
            break
    ritz = basis.ritz()
    chosen = select(ritz.values, top, by)
    exact = len(basis.applied) == dimension
    return Eigenpairs(
        values=ritz.values[chosen],
        residuals=relative_residuals(ritz, chosen),
        vectors=basis.vectors(ritz.rotation[:, chosen]),
        products=len(basis.applied),
        converged=exact or search.done,
    )


class _Search:
    """When to stop: converged, and unchanged by a second start."""

    def __init__(self, basis: Krylov, top: int, tolerance: float, by: By) -> None:
        self.basis, self.top, self.tolerance, self.by = basis, top, tolerance, by
        self.candidate: Floats | None = None
        self.confirmed_at = 0
        self.done = False

    @property
    def confirming(self) -> bool:
        """Whether a second start is being followed."""
        return self.candidate is not None

    def finished(self) -> bool:
        """Look at the basis after a product."""
        products = len(self.basis.applied)
        if products < self.top:
            return False
        ritz = self.basis.ritz()
        chosen = select(ritz.values, self.top, self.by)
        if (relative_residuals(ritz, chosen) > self.tolerance).any():
            self.candidate = None
            return False
        values = ritz.values[chosen]
        if self.candidate is None:
            self.candidate, self.confirmed_at = values, products + min(10, max(4, products // 3))
            self.basis.start(first=True)
        elif products >= self.confirmed_at:
            self.done = np.allclose(values, self.candidate, rtol=self.tolerance, atol=0.0)
            self.candidate = None
        return self.done


def select(values: Floats, top: int, by: By) -> Indices:
    """Indices of the largest by value or in magnitude, descending by value."""
    order = np.argsort(-values if by == "value" else -np.abs(values), kind="stable")[:top]
    return order[np.argsort(-values[order], kind="stable")]


def relative_residuals(ritz: Ritz, chosen: Indices) -> Floats:
    """||H v - l v|| / max(|l|, 1e-6 |l_1|); 0 where H is zero."""
    magnitudes = np.abs(ritz.values[chosen])
    scale = np.maximum(magnitudes, 1e-6 * magnitudes.max())
    residuals = ritz.residuals[chosen]
    return np.divide(residuals, scale, out=np.where(residuals > 0, np.inf, 0.0), where=scale > 0)
