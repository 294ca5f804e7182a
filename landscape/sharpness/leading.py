"""The part of a curvature that is known once its largest eigenvalue is: what random draws are held against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from landscape.objective.streams import stream
from landscape.spectrum.lanczos import Eigenpairs, top_eigenpairs

if TYPE_CHECKING:
    from landscape.objective.differentiable import Differentiable
    from landscape.objective.objective import Objective

LEADING = 12
"""Ritz vectors of the search for the largest eigenvalue that are kept, in float32"""
TOLERANCE = 1e-3
"""of the largest eigenvalue's search"""
Kind = tuple[bool, int, float]
_found: WeakKeyDictionary[Objective, dict[Kind, Largest]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Leading:
    """A = sum_i theta_i v_i v_i^T, which stands for most of a Hessian H: v_i the Ritz vectors of a Lanczos basis.

    Draws of x^T A x have a mean that is known, so that x^T H x - x^T A x + E x^T A x has the mean of x^T H x and less
    spread, as far as A is like H (a control variate). It need not be like it.
    """

    values: Tensor
    """(k,) theta"""
    vectors: Tensor
    """(k, d) v, nearly orthonormal"""

    def form(self, vectors: Tensor) -> Tensor:
        """x^T A x of each row of `vectors` (n, d): (n,), in float64."""
        return (vectors.to(self.vectors) @ self.vectors.T).double().square() @ self.values

    def product(self, vectors: Tensor) -> Tensor:
        """A x of each row of `vectors` (n, d): (n, d), in float64."""
        along = (vectors.to(self.vectors) @ self.vectors.T).double() * self.values
        return (along.to(self.vectors) @ self.vectors).double()

    @property
    def trace(self) -> float:
        """The trace of A: the mean of x^T A x over independent coordinates of variance 1."""
        return (self.vectors.double().square().sum(1) @ self.values).item()


@dataclass(frozen=True)
class Largest:
    """The largest eigenvalue of a Hessian, and what its search has found besides."""

    value: float
    residual: float
    vector: Tensor
    """(1, d), a unit eigenvector"""
    converged: bool
    products: int
    leading: Leading


def largest(
    objective: Objective,
    function: Callable[[Objective], Differentiable],
    *,
    relative: bool,
    seed: int,
    tolerance: float = TOLERANCE,
) -> Largest:
    """The largest Hessian eigenvalue of `function(objective)`, searched for once for all measures that want it.

    `relative` tells the one function from the other.
    """
    known = _found.setdefault(objective, {})
    kind = (relative, seed, tolerance)
    if kind not in known:
        known[kind] = _searched(objective, function(objective), seed, tolerance)
    return known[kind]


def _searched(objective: Objective, function: Differentiable, seed: int, tolerance: float) -> Largest:
    generator = stream(seed, "lanczos")
    pairs: Eigenpairs = top_eigenpairs(
        function.hvp,
        lambda: function.normal(generator),
        function.dimension,
        top=1,
        tolerance=tolerance,
        memory=objective.keeper.vector_bytes,
        beside=LEADING,
    )
    values = torch.from_numpy(pairs.known.values.copy()).to(pairs.vectors)
    leading = Leading(values, pairs.known.vectors.float())
    return Largest(
        float(pairs.values[0]), float(pairs.residuals[0]), pairs.vectors, pairs.converged, pairs.products, leading
    )
