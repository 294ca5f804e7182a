"""The wanted ends of a spectrum: which Ritz values they are, and how far from the eigenvalues they can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from landscape.spectrum.krylov import Floats, Indices, Ritz

By = Literal["value", "magnitude"]
SMALL = 1e-6
"""of the largest magnitude: to this, at least, errors are relative"""


@dataclass(frozen=True)
class End:
    """One end of a spectrum, seen so that it is the upper one: at the lower end all signs are turned."""

    values: Floats
    """(m,) Ritz values, descending"""
    residuals: Floats
    """(m,) absolute"""
    wanted: int
    """how many of them, from the first on; where 0, it only matters that nothing beyond `limit` was missed"""
    limit: float
    """the least of what is wanted: what lies beyond and was missed would be wanted in its place"""

    def errors(self, unseen: float = -np.inf) -> Floats:
        """(wanted,) estimates of the relative errors.

        A Ritz value l is within its residual r of some eigenvalue. From that of its rank it differs by at most
        R^2 / (l - c), R^2 being the sum of the squared residuals of the first j values, for any j not below its rank,
        and c a bound on all the others: values close to each other do no harm if they are on one side of c. What the
        first unwanted value may yet exceed the last wanted by is an error of the latter. `unseen`: a bound on what
        H has beside the space of the Ritz vectors, which c is not below.

        >>> End(np.array([4.0, 3.0, 1.0]), np.array([0.1, 0.1, 0.0]), 2, 3.0).errors().round(5).tolist()
        [0.00167, 0.00333]
        """
        count, others = self.wanted, np.maximum(self._others(unseen), unseen)
        squares = np.cumsum(self.residuals[:count] ** 2)
        gaps = self.values[:count, None] - others  # (rank, j)
        gaps[np.tril_indices(count, -1)] = 0
        bounds = np.divide(squares, gaps, out=np.full_like(gaps, np.inf), where=gaps > 0).min(1, initial=np.inf)
        errors = np.minimum(bounds, self.residuals[:count])
        errors[-1:] = np.maximum(errors, others - self.limit)[-1:]
        return relative(errors, self.values[:count], float(np.abs(self.values).max()))

    def harmless(self, tolerance: float) -> float:
        """The level up to which an eigenvalue may have been missed: the least of the wanted, give or take its error."""
        return self.limit + tolerance * max(abs(self.limit), SMALL * float(np.abs(self.values).max()))

    def _others(self, unseen: float) -> Floats:
        """(wanted,) how far the values behind the j-th may reach up; behind the last there is what was not seen."""
        gaps = np.append(self.values[:-1] - self.values[1:], 0.0)
        reach = np.divide(self.residuals**2, gaps, out=np.full_like(gaps, np.inf), where=gaps > 0)
        behind = np.inf if unseen == -np.inf else unseen
        return np.append(self.values + np.minimum(self.residuals, reach), behind)[1 : self.wanted + 1]


def ends(ritz: Ritz, top: int, bottom: int, by: By) -> tuple[End, End]:
    """The ends of the spectrum to search at: both, if `top` eigenvalues are wanted by value or magnitude, and the
    `bottom` smallest.

    By magnitude the limit of either end is the least of both: at the one end, too, something as large may have been
    missed as what is wanted of the other.
    """
    values, chosen = ritz.values, select(ritz.values, top, by)
    above = top if by == "value" else int((values[chosen] >= 0).sum())
    below = max(bottom, top - above)
    least = float(np.abs(values[chosen]).min()) if by == "magnitude" else np.inf
    upper = End(values[::-1], ritz.residuals[::-1], above, min(least, float(values[-above]) if above else np.inf))
    lower = End(-values, ritz.residuals, below, min(least, -float(values[below - 1]) if below else np.inf))
    return upper, lower


def select(values: Floats, top: int, by: By) -> Indices:
    """Indices of the largest by value or in magnitude, descending by value."""
    order = np.argsort(-values if by == "value" else -np.abs(values), kind="stable")[:top]
    return order[np.argsort(-values[order], kind="stable")]


def relative(errors: Floats, values: Floats, largest: float) -> Floats:
    """e / max(|l|, 1e-6 |l_1|), `largest` being |l_1|; 0 where H is zero."""
    scale = np.maximum(np.abs(values), SMALL * largest)
    return np.divide(errors, scale, out=np.where(errors > 0, np.inf, 0.0), where=scale > 0)
