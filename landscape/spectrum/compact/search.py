"""The outermost eigenvalues of an operator, from a basis of few vectors in float32."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from landscape.spectrum.compact.basis import Compact
from landscape.spectrum.ends import By, End, ends, relative, select
from landscape.spectrum.krylov import BREAKDOWN, Indices, Ritz
from landscape.spectrum.lanczos import EXTRA, Eigenpairs, Pairs, Search
from landscape.spectrum.missed import Witness

LEAST_ROWS = 6
"""vectors beside the wanted ones that a search needs at least: one more at each end, two pending, two to come"""
ROOM_TO_JOIN = 5
"""that are left beside the wanted and the pending ones when another direction joins: it, and what a restart needs"""


def compact_eigenpairs(  # noqa: PLR0913 (what a solver can be told)
    product: Callable[[Tensor], Tensor],
    draw: Callable[[], Tensor],
    dimension: int,
    top: int,
    rows: int,
    *,
    tolerance: float = 1e-3,
    by: By = "value",
    max_products: int | None = None,
    bottom: int = 0,
    watch: Callable[[int, float], object] | None = None,
) -> Eigenpairs:
    """What `top_eigenpairs` finds, with `rows` vectors of 4d bytes: `LEAST_ROWS` at least beside the wanted ones.

    Lanczos with thick restarts (Wu and Simon 2000) in them. The witness that tells whether an eigenvalue was missed
    keeps as many of its vectors as there is room for, two at least (the three-term recursion). In the end a product for
    each eigenvector, as it is handed out, measures the residual. `product`: v (d,) in float32 -> H v in float64;
    beside the rows there are two vectors in float64 at most, and none but its result while there is a product.

    >>> import torch
    >>> values = torch.cat([torch.tensor([3.0, 2.9]), torch.linspace(-1, 1, 100)]).double()
    >>> draws = torch.Generator().manual_seed(0)
    >>> draw = lambda: torch.randn(102, dtype=torch.float64, generator=draws)
    >>> found = compact_eigenpairs(lambda v: v * values, draw, 102, 2, 8)
    >>> np.allclose(found.values, [3.0, 2.9], rtol=1e-3), found.converged, found.vectors.dtype
    (True, True, torch.float32)
    """
    search = CompactSearch(Compact(product, draw, dimension, rows), top, bottom, by, tolerance)
    search.run(max_products, watch)
    return search.result(0)


class CompactSearch(Search):
    """A search for eigenvalues in a `Compact` basis: most vectors are forgotten after a while."""

    basis: Compact
    window: list[int]
    """rows that hold the witness's vectors, the latest last"""
    levels = -np.inf, -np.inf
    """beyond which the witness has seen that there is nothing outside of the basis"""
    crowded = False
    """whether it found something for which there is no room"""
    nearly = 1.0

    def finished(self) -> bool:
        """Look at the basis after a product, and call a witness when it is time."""
        return super().finished() or self.crowded

    def advance(self) -> None:
        """Apply the operator to the vector that promises most: one product."""
        if self.witness is not None and self.witness.next is not None:
            self._follow(self.witness, self.witness.next)
        else:
            super().advance()

    def result(self, beside: int) -> Eigenpairs:
        """The eigenpairs as far as they are known, their residuals measured by a product each."""
        basis, ritz = self.basis, self.basis.ritz()
        top, bottom = select(ritz.values, self.top, self.by), np.arange(min(self.bottom, len(ritz.values)))
        chosen = np.union1d(top, bottom)
        basis.restart(ritz, chosen)
        residuals = ritz.residuals.copy()
        for row, index in enumerate(chosen):
            image = basis.image(row)
            residuals[index] = basis.residual(row, image, float(ritz.values[index]))
        ritz = replace(ritz, residuals=residuals)
        self.error = self._error(ends(ritz, self.top, self.bottom, self.by))

        def pairs(wanted: Indices) -> Pairs:
            values = ritz.values[wanted]
            errors = relative(residuals[wanted], values, float(np.abs(ritz.values).max()))
            return Pairs(values, errors, basis.basis[torch.from_numpy(np.searchsorted(chosen, wanted))])

        first, known = pairs(top), pairs(top[:beside])
        return Eigenpairs(
            first.values, first.residuals, first.vectors, pairs(bottom), basis.products, self.converged, known
        )

    def _call(self, ritz: Ritz) -> None:
        """A witness in the rows that are left when all but the wanted vectors are forgotten."""
        basis = self.basis
        self._shrink(ritz, 0)
        first = basis.draw().double()
        basis.project_out(first, basis.applied)
        basis.write(basis.size, first, first.norm())
        self.window = [basis.size]
        self.witness = Witness(basis.dimension, basis.size)

    def _follow(self, witness: Witness, row: int) -> None:
        """A step of Lanczos in all that is orthogonal to the applied vectors."""
        basis = self.basis
        image = basis.image(row)
        size, quotient = float(image.norm()), basis.quotient(row, image)
        basis.project_out(image, [*basis.applied, *self.window])
        norm = image.norm()
        if not float(norm) > BREAKDOWN * size:
            witness.add(quotient, 0.0, None)
            return
        free = next((each for each in range(basis.size, basis.room) if each not in self.window), self.window[0])
        basis.write(free, image, norm)
        self.window = [each for each in self.window if each != free] + [free]
        witness.add(quotient, float(norm), free)

    def _error(self, both: tuple[End, End]) -> float:
        return self._beside(both, self.levels)

    def _beside(self, both: tuple[End, End], unseen: tuple[float, float]) -> float:
        """The largest estimated error, if there is nothing beyond these levels outside of the basis."""
        return max(float(end.errors(own).max(initial=0)) for end, own in zip(both, unseen, strict=True))

    def _hear(self, witness: Witness, both: tuple[End, End]) -> None:
        """Whether the witness has said enough; what it found of more joins the basis.

        Its vectors are not in the basis, so that what it saw near the wanted values counts in their errors. Where that
        is too much for the tolerance, however long it goes on, the basis has to.
        """
        harmless, levels, roots = [end.harmless(self.tolerance) for end in both], witness.levels(), witness.roots()
        found = [root > most for root, most in zip(roots, harmless, strict=True)]
        if any(found):
            self._join(witness, above=found[0])
        elif all(level <= most for level, most in zip(levels, harmless, strict=True)):
            self.proven, self.levels = True, levels
            self.error = self._beside(both, levels)
            if not self.converged and witness.next is not None and self._beside(both, roots) <= self.tolerance:
                return
        elif witness.next is not None:
            return
        self.witness = None

    def _join(self, witness: Witness, *, above: bool) -> None:
        """The best approximation among the witness's latest vectors to what it found becomes a direction to look in."""
        known = len(self.window) - (witness.next is not None)  # the last one's product is still to come
        diagonal, beside = witness.diagonal[-known:], witness.beside[-known:][:-1]
        steps = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
        found = np.linalg.eigh(steps)[1][:, -1 if above else 0]
        basis = self.basis
        self.crowded = basis.left < ROOM_TO_JOIN
        if not self.crowded:
            basis.add(basis.combined(self.window[:known], found))
            self.ritz = basis.ritz()

    def _restart(self, ritz: Ritz) -> None:
        """Keep the wanted Ritz vectors and, of what room they leave, half for the next ones at their ends."""
        both = self._wanted(ritz)
        spare = self.basis.room - sum(both) - len(self.basis.pending) - 2
        self._shrink(ritz, min(EXTRA, max(1, spare // (2 * sum(map(bool, both))))))

    def _shrink(self, ritz: Ritz, extra: int) -> None:
        """Keep the wanted Ritz vectors, and so many more at each end where there are wanted ones."""
        count = len(ritz.values)
        upper, lower = (wanted + extra * bool(wanted) for wanted in self._wanted(ritz))
        self.basis.restart(ritz, np.union1d(np.arange(max(0, count - upper), count), np.arange(min(lower, count))))

    def _wanted(self, ritz: Ritz) -> list[int]:
        """How many at either end."""
        return [end.wanted for end in ends(ritz, self.top, self.bottom, self.by)]
