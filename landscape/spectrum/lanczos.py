"""The outermost eigenvalues of a symmetric operator that is known by its products with vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from landscape.spectrum.ends import By, End, ends, relative, select
from landscape.spectrum.krylov import Floats, Indices, Krylov, Ritz
from landscape.spectrum.missed import Witness
from minima.store.command import BadInput

NEARLY = 3.0
"""tolerances: an estimated error from which on it pays to look for what may have been missed"""
LEAST_ROOM = 32
"""vectors beside the wanted ones that a bounded basis needs"""
EXTRA = 6
"""Ritz vectors beside the wanted ones of an end that outlive a restart"""
WITNESS_ROOM = 12
"""of them for what a witness brings"""


@dataclass(frozen=True)
class Pairs:
    """Some eigenvalues of an operator, with their eigenvectors, residuals and errors."""

    values: Floats
    """(k,)"""
    residuals: Floats
    """(k,) ||H v - l v|| / max(|l|, 1e-6 |l_1|), l_1 being the largest in magnitude"""
    vectors: Tensor
    """(k, d) unit eigenvectors"""


@dataclass(frozen=True)
class Eigenpairs(Pairs):
    """The k largest eigenvalues, descending by value."""

    bottom: Pairs
    """the smallest, the smallest first, as many as were asked for"""
    products: int
    """matrix-vector products spent"""
    converged: bool
    known: Pairs
    """as many as were asked for `beside` them of what the basis spans, largest in magnitude first, converged or not"""


def top_eigenpairs(  # noqa: PLR0913 (what a solver can be told)
    product: Callable[[Tensor], Tensor],
    draw: Callable[[], Tensor],
    dimension: int,
    top: int = 5,
    *,
    tolerance: float = 1e-3,
    by: By = "value",
    max_products: int | None = None,
    bottom: int = 0,
    known: tuple[Tensor, Tensor] | None = None,
    start: Tensor | None = None,
    memory: int | None = None,
    beside: int = 0,
    watch: Callable[[int, float], object] | None = None,
) -> Eigenpairs:
    """The `top` eigenpairs that are largest by value or in magnitude, each eigenvalue to a relative `tolerance`.

    Lanczos (1950) with full reorthogonalisation in float64. `product`: v (d,) -> H v; `draw`: a normal vector (d,).
    An error is estimated as the smaller of the residual r and R^2 / gap (see `End.errors`). One start vector sees one
    eigenvector of a multiple eigenvalue only, and takes a pair nearer than r for a single one in between; so a random
    start follows until it tells, at a risk of 0.3 %, that no eigenvalue above the wanted was missed (see `Witness`).
    After `max_products` (default: the larger of 100 and 10 a piece) it returns what is known, with `converged` False.

    Args:
        bottom: also so many of the smallest.
        known: a vector and its product, such as the gradient with H times it; it replaces the first random start.
        start: (d,) or (k, d), to begin with, such as the sum of k eigenvectors of a similar operator. Such a sum takes
            k products, and one more where each of k vectors has one of its own.
        memory: bytes that vectors may take, 8d each, with restarts where they do not suffice; the least that the
            eigenvalues need, `LEAST_ROOM` besides them, are taken anyway.
        beside: how many Ritz pairs of the basis are handed out as `known`; they take no products.
        watch: told after each product how many there were and the largest estimated relative error (inf at first).

    >>> import torch
    >>> matrix = torch.diag(torch.tensor([3.0, 3.0, 1.0, -5.0], dtype=torch.float64))
    >>> draw = lambda: torch.randn(4, dtype=torch.float64)
    >>> found = top_eigenpairs(matrix.mv, draw, 4, 2, bottom=1)
    >>> found.values.round(9), found.bottom.values.round(9)
    (array([3., 3.]), array([-5.]))
    """
    if not (1 <= top <= dimension and 0 <= bottom <= dimension):
        raise BadInput(
            f"{max(top, bottom)} eigenvalues were asked for, but the operator acts on {dimension} coordinates: "
            "no more exist"
        )
    limit = None if memory is None else max(memory // (8 * dimension), top + bottom + LEAST_ROOM)
    basis = Krylov(product, draw, dimension, limit)
    informed = known is not None and basis.add(known[0])
    for vector in () if start is None else start.reshape(-1, dimension):
        basis.add(vector)
    if known is not None and informed:
        basis.apply(0, known[1] / known[0].norm())
    search = Search(basis, top, bottom, by, tolerance)
    search.run(max_products, watch)
    return search.result(beside)


def most_products(wanted: int) -> int:
    """How many products are spent on so many eigenvalues at most, where no number is given."""
    return max(100, 10 * wanted)


class Search:
    """A search for eigenvalues: which vector the operator is applied to next, and when to stop.

    Next is the pending vector along which most of the wanted pairs' residuals lies. Once these are nearly converged, a
    witness is followed, in all that is orthogonal to the applied vectors: no more of H's eigenvalues lie above what it
    bounds than of the Ritz values, give or take their errors. If what it found is wanted itself, the pairs have to
    converge anew, and another is called.
    """

    nearly = NEARLY

    def __init__(self, basis: Krylov, top: int, bottom: int, by: By, tolerance: float) -> None:
        self.basis, self.top, self.bottom, self.by, self.tolerance = basis, top, bottom, by, tolerance
        self.witness: Witness | None = None
        self.proven = False
        """that nothing was missed in what is orthogonal to the applied vectors"""
        self.error = np.inf
        self.ritz: Ritz | None = None

    def run(self, max_products: int | None, watch: Callable[[int, float], object] | None) -> None:
        """Product by product until the answer stands, or there were as many as there may be."""
        limit = max(self.top, max_products or most_products(self.top + self.bottom))
        while not self.finished() and self.basis.products < limit:
            self.advance()
            if watch is not None:
                watch(self.basis.products, self.error)

    def advance(self) -> None:
        """Apply the operator to the vector that promises most: one product."""
        basis = self.basis
        if self.witness is not None and self.witness.next is not None:
            quotient, norm = basis.follow(self.witness.next)
            self.witness.add(quotient, norm, basis.pending[-1] if norm else None)
            return
        if self.ritz is not None and basis.left < 2:
            self._restart(self.ritz)
        if not basis.pending:
            basis.start()
        basis.apply(self._most())

    def finished(self) -> bool:
        """Look at the basis after a product, and call a witness when it is time."""
        basis = self.basis
        if len(basis.applied) < min(self.top + self.bottom, basis.dimension):
            return False
        self.ritz = ritz = basis.ritz()
        if len(basis.applied) == basis.dimension:
            self.error, self.proven = 0.0, True
            return True
        both = ends(ritz, self.top, self.bottom, self.by)
        self.error = self._error(both)
        if self.witness is not None:
            self._hear(self.witness, both)
        elif not self.proven and self.error <= self.nearly * self.tolerance:
            self._call(ritz)
        return self.converged

    @property
    def converged(self) -> bool:
        """Whether all wanted eigenvalues are within the tolerance, as far as can be told."""
        return self.proven and self.error <= self.tolerance

    def result(self, beside: int) -> Eigenpairs:
        """The eigenpairs as far as they are known, `beside` Ritz pairs among them."""
        ritz = self.basis.ritz()
        largest = float(np.abs(ritz.values).max())

        def pairs(chosen: Indices) -> tuple[Floats, Floats, Tensor]:
            values = ritz.values[chosen]
            residuals = relative(ritz.residuals[chosen], values, largest)
            return values, residuals, self.basis.vectors(ritz.rotation[:, chosen])

        bottom = Pairs(*pairs(np.arange(min(self.bottom, len(ritz.values)))))
        top = pairs(select(ritz.values, self.top, self.by))
        known = Pairs(*pairs(np.argsort(-np.abs(ritz.values))[:beside]))
        return Eigenpairs(*top, bottom, self.basis.products, self.converged, known)

    def _error(self, both: tuple[End, End]) -> float:
        """The largest estimated error of a wanted eigenvalue."""
        return max(float(end.errors().max(initial=0)) for end in both)

    def _call(self, ritz: Ritz) -> None:
        """A witness, with room for its steps."""
        basis = self.basis
        if basis.left < WITNESS_ROOM:
            self._restart(ritz)
        first = basis.start()
        if first is not None:  # otherwise the basis spans the whole space, and what is pending decides
            self.witness = Witness(basis.dimension, first)

    def _hear(self, witness: Witness, both: tuple[End, End]) -> None:
        """Whether the witness has said enough: that nothing was missed, or that something was, or it cannot go on."""
        harmless = [end.harmless(self.tolerance) for end in both]
        self.proven = all(level <= most for level, most in zip(witness.levels(), harmless, strict=True))
        found = any(root > most for root, most in zip(witness.roots(), harmless, strict=True))
        if self.proven or found or witness.next is None or self.basis.left < 2:
            self.witness = None

    def _most(self) -> int:
        """The pending vector along which most of the wanted pairs' residuals lies."""
        pending = self.basis.pending
        if self.ritz is None or len(self.ritz.outside) != len(pending):
            return pending[0]
        parts = dict(zip(pending, self._parts(self.ritz), strict=True))
        return max(pending, key=parts.__getitem__)

    def _parts(self, ritz: Ritz) -> Floats:
        """(p,) the residuals of the wanted pairs along each pending vector, relative to their values."""
        wanted = np.union1d(select(ritz.values, self.top, self.by), np.arange(self.bottom))
        largest = float(np.abs(ritz.values).max())
        parts = relative(np.abs(ritz.outside[:, wanted]), ritz.values[wanted], largest)
        return np.asarray(np.linalg.norm(parts, axis=1))

    def _restart(self, ritz: Ritz) -> None:
        """Keep the wanted Ritz vectors and a few more at each end, where the wanted ones are to be told from them."""
        count = len(ritz.values)
        upper, lower = (end.wanted + EXTRA * bool(end.wanted) for end in ends(ritz, self.top, self.bottom, self.by))
        kept = np.union1d(np.arange(max(0, count - upper), count), np.arange(min(lower, count)))
        self.basis.restart(ritz, kept)
