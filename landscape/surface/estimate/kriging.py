"""Interpolation of scattered points, with a spread that follows how rough the values are nearby."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

NEIGHBOURS = 12
"""residuals that the scale at a point is taken from"""

Points = NDArray[np.float64]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Kriged:
    """What is known of a field at some points."""

    values: Values
    spread: Values
    """the size of an error to be expected there: about a standard deviation; 0 where the value is known"""


def krige(places: Points, known: Sequence[int], values: Values) -> Kriged:
    """A field at all `places` (n, axes), of which `known` have the `values` (k,); k of 4 or more.

    The values are those of the cubic radial basis function |r|^3 with a linear trend: kriging with the generalised
    covariance of cubic splines (in one dimension the natural spline). It knows its variance up to a factor, which is
    taken from nearby: the mean of the leave-one-out residuals at the closest known points, each in units of its own
    kriging standard deviation, weighted by inverse distance. So the spread is large where the field is rough, also
    when it is smooth elsewhere, as a loss surface is.

    Source: Dubrule 1983 (leave-one-out in closed form); Wackernagel 2003, Multivariate Geostatistics (generalised
    covariances).

    >>> x = np.linspace(-1, 1, 9)[:, None]
    >>> found = krige(x, [0, 2, 4, 6, 8], x[::2, 0] ** 2)
    >>> found.values[[0, 1]].round(2).tolist(), bool(found.spread[0] == 0 < found.spread[1])
    ([1.0, 0.58], True)
    """
    own = places[known]
    count, trend = len(own), _trend(own)
    system = np.block([[cdist(own, own) ** 3, trend], [trend.T, np.zeros((trend.shape[1],) * 2)]])
    inverse = np.linalg.inv(system)
    to_all = np.hstack([cdist(places, own) ** 3, _trend(places)])
    weights = inverse[:, :count] @ values
    residuals = np.abs(weights[:count]) / np.sqrt(np.abs(np.diag(inverse)[:count]))  # leave-one-out, standardised
    deviation = np.sqrt(np.abs(np.einsum("ij,ij->i", to_all @ inverse, to_all)))
    estimate, spread = to_all @ weights, deviation * _nearby(places, own, residuals)
    estimate[known], spread[known] = values, 0.0
    return Kriged(estimate, spread)


def _trend(places: Points) -> Points:
    return np.hstack([np.ones((len(places), 1)), places])


def _nearby(places: Points, own: Points, residuals: Values) -> Values:
    count = min(NEIGHBOURS, len(own))
    distances, nearest = KDTree(own).query(places, k=count)
    weights = 1 / np.maximum(distances, 1e-2)
    return np.asarray((weights * residuals[nearest]).sum(1) / weights.sum(1))
