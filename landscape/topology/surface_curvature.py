"""The curvature of a surface: at its centre in units of distance, and where it is convex."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROUNDING = 1e-6
"""of the loss: what a second difference may be below 0 by the network's single precision alone"""


@dataclass(frozen=True)
class QuadraticFit:
    """The quadratic function of the distance that fits a surface at its centre."""

    slope: float
    """nat for a unit of distance: norm of the gradient within the surface"""
    curvatures: tuple[float, ...]
    """nat for a squared unit of distance, the largest first: Rayleigh quotients of the Hessian"""
    orientation: float | None
    """degrees from the first direction to that of the smallest curvature, in (-90, 90]; on a line None"""

    @property
    def condition(self) -> float | None:
        """Largest / smallest curvature; None where the smallest is not positive, or on a line."""
        largest, smallest = self.curvatures[0], self.curvatures[-1]
        return largest / smallest if len(self.curvatures) > 1 and smallest > 0 else None


def metric_root(norms: Sequence[float], cosine: float) -> NDArray[np.float64]:
    """(axes, axes) the directions as columns, in an orthonormal frame of theirs that begins with the first.

    >>> metric_root([2.0, 10.0], 0.6).tolist()
    [[2.0, 6.0], [0.0, 8.0]]
    """
    if len(norms) == 1:
        return np.array([[norms[0]]])
    return np.array([[norms[0], norms[1] * cosine], [0.0, norms[1] * math.sqrt(1 - cosine**2)]])


def fit_at_centre(
    coordinates: Sequence[NDArray[np.float64]], values: NDArray[np.float64], root: NDArray[np.float64]
) -> QuadraticFit | None:
    """Fit loss(x) = c + g.x + x.K x / 2 by least squares to the points nearest the centre, x = D (alpha, beta).

    The columns of D (`root`, see `metric_root`) are the directions, so that x is in units of distance. Three points
    along each axis, four where the centre lies between points. None if the centre is not well within the surface, one
    of the points is a wall, or the directions are not known or parallel.

    >>> alpha = np.array([-1.0, 0.0, 1.0])
    >>> fit = fit_at_centre([alpha, alpha], 8 * alpha[:, None] ** 2 + alpha**2, metric_root([2.0, 1.0], 0.0))
    >>> [round(value, 9) for value in fit.curvatures], round(fit.condition, 9), round(abs(fit.orientation))
    ([4.0, 2.0], 2.0, 90)
    """
    near = [np.flatnonzero(np.abs(along) < 1.6 * _step(along)) for along in coordinates]  # rounding at one and a half
    points = values[np.ix_(*near)].ravel()
    degenerate = not np.isfinite(root).all() or abs(np.linalg.det(root)) <= 1e-9 * np.prod(np.linalg.norm(root, axis=0))
    if degenerate or min(map(len, near)) < 3 or not np.isfinite(points).all():
        return None
    mesh = np.meshgrid(*(along[chosen] for along, chosen in zip(coordinates, near, strict=True)), indexing="ij")
    x = root @ np.stack([each.ravel() for each in mesh])  # (axes, points)
    scale = np.abs(x).max()
    pairs = [(i, j) for i in range(len(x)) for j in range(i, len(x))]
    terms = [np.ones_like(points), *(x / scale), *(x[i] * x[j] / scale**2 for i, j in pairs)]
    fitted = np.linalg.lstsq(np.stack(terms, axis=1), points)[0]
    gradient, matrix = fitted[1 : 1 + len(x)] / scale, np.zeros((len(x), len(x)))
    for (i, j), coefficient in zip(pairs, fitted[1 + len(x) :] / scale**2, strict=True):
        matrix[i, j] += coefficient
        matrix[j, i] += coefficient
    curvatures, frame = np.linalg.eigh(matrix)
    return QuadraticFit(float(np.linalg.norm(gradient)), tuple(curvatures[::-1].tolist()), _angle(frame[:, 0]))


def convex_share(values: NDArray[np.float64]) -> float | None:
    """Fraction of the inner points at which the matrix of second differences is positive semidefinite.

    Of points whose neighbours are all finite; None if there are none. Being semidefinite does not depend on the
    lengths of the directions or their angle. What may be rounding, 1e-6 of the loss, counts as 0.

    >>> convex_share(np.array([4.0, 1.0, 0.0, 1.0, 0.5]))
    0.6666666666666666
    """
    if min(values.shape) < 3:
        return None
    stencils = sliding_window_view(np.where(np.isfinite(values), values, np.nan), (3,) * values.ndim)
    stencils = stencils.reshape(-1, *stencils.shape[values.ndim :])
    stencils = stencils[np.isfinite(stencils).reshape(len(stencils), -1).all(1)]
    if not len(stencils):
        return None
    lowest = _second(stencils) if values.ndim == 1 else _lowest_eigenvalue(stencils)
    return float((lowest >= -ROUNDING * np.abs(stencils).reshape(len(stencils), -1).max(1)).mean())


def _second(triples: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3) -> (n,) second differences in units of the step"""
    return triples[:, 0] - 2 * triples[:, 1] + triples[:, 2]


def _lowest_eigenvalue(stencils: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 3, 3) -> (n,) of the symmetric matrix of second differences"""
    first, second = _second(stencils[:, :, 1]), _second(stencils[:, 1, :])
    mixed = (stencils[:, 0, 0] + stencils[:, 2, 2] - stencils[:, 0, 2] - stencils[:, 2, 0]) / 4
    return np.asarray((first + second) / 2 - np.hypot((first - second) / 2, mixed))


def _step(along: NDArray[np.float64]) -> float:
    return float(along[1] - along[0]) if len(along) > 1 else 0.0


def _angle(direction: NDArray[np.float64]) -> float | None:
    if len(direction) == 1:
        return None
    degrees = math.degrees(math.atan2(direction[1], direction[0]))
    return degrees - 180 * round(degrees / 180) if abs(degrees) != 90 else 90.0
