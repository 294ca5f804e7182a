"""What a random start vector cannot have missed: levels that, almost surely, no eigenvalue lies beyond."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

RISK = 3e-3
"""probability, over the start vector, that an eigenvalue lies beyond a level all the same"""
HALVINGS = 40


@dataclass
class Witness:
    """Lanczos steps from a start vector q (d,) that is uniformly random on the sphere.

    An eigenvector u whose eigenvalue is x or beyond has a share (q.u)^2 of at most 1 / sum_j p_j(x)^2 in q: p_0 to p_k
    are the polynomials orthonormal in q's spectral measure, which k steps know (the Christoffel function, falling
    beyond the outermost of their roots). A share below s has a probability of at most sqrt(2 d s / pi). So there is a
    level beyond which an eigenvalue would be a coincidence of probability `RISK`.
    """

    dimension: int
    next: int | None
    """where in the basis the next vector is; None once q's invariant subspace is exhausted"""
    diagonal: list[float] = field(default_factory=list)
    """of the tridiagonal matrix, a_1 to a_k"""
    beside: list[float] = field(default_factory=list)
    """b_1 to b_k; the last is the norm of what the last product brought"""

    def add(self, quotient: float, norm: float, following: int | None) -> None:
        """Take in one more step of the recursion."""
        self.diagonal.append(quotient)
        self.beside.append(norm)
        self.next = following

    def roots(self) -> tuple[float, float]:
        """The largest Ritz value of the steps, and the smallest with its sign turned: what was found."""
        if not self.diagonal:
            return -math.inf, -math.inf
        steps = np.diag(self.diagonal) + np.diag(self.beside[:-1], 1) + np.diag(self.beside[:-1], -1)
        values = np.linalg.eigvalsh(steps)
        return float(values[-1]), 0.0 - float(values[0])

    def levels(self) -> tuple[float, float]:
        """Above the first there is no eigenvalue, above the second none of the operator with its sign turned.

        >>> Witness(10, None, [1.0, 1.0], [1.0, 0.0]).levels()  # exhausted: the rest has probability 0
        (2.0, 0.0)
        >>> Witness(100, 2, [0.0, 0.0], [0.5, 0.5]).levels()[0].__round__(1)
        25.8
        """
        high, low = self.roots()
        return self._level(high, 1), self._level(low, -1)

    def _level(self, root: float, sign: int) -> float:
        if not self.diagonal or self.beside[-1] == 0:
            return root if self.diagonal else math.inf
        width = max(*map(abs, self.diagonal), *self.beside)
        while self._possible(root + width, sign):
            width *= 2
        low, high = root, root + width
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self._possible(middle, sign) else (low, middle)
        return high

    def _possible(self, x: float, sign: int) -> bool:
        """Whether the largest share of an eigenvalue at x is one that chance explains."""
        enough = 2 * self.dimension / (math.pi * RISK**2)
        before, now, total, last = 0.0, 1.0, 1.0, 0.0
        for a, b in zip(self.diagonal, self.beside, strict=True):
            before, now, last = now, ((x - sign * a) * now - last * before) / b, b
            total += now**2
            if total >= enough:
                return False
        return True
