"""The spectral density of a symmetric operator by stochastic Lanczos quadrature (Ghorbani et al. 2019)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from landscape.spectrum.krylov import Floats, Krylov
from minima.store.command import BadInput
from minima.store.hdf5 import record
from minima.store.hdf5.record import Number

if TYPE_CHECKING:
    from minima.store.hdf5.results import Place

ROUNDING = 1e-9
"""a range this small beside the largest node is that of a multiple of the identity"""
POINTS = 1024
"""of the support"""
WIDTH = 0.01
"""standard deviation of the kernel, beside the range of the eigenvalues"""
MARGIN = 6.0
"""of the support beyond the outermost nodes, in widths"""
POINT = ("density_point",)
NUMBERS = (
    Number("density_support", "nat", "eigenvalue", POINT, key="support"),
    Number(
        "density",
        "1/nat",
        "density of the eigenvalues, mean over the probes; integrates to one",
        POINT,
        key="values",
    ),
    Number("density_stderr", "1/nat", "standard error of the density over the probes", POINT, key="stderr"),
    Number("density_edge", "nat", "where the bulk of the density ends", key="edge"),
    Number("density_width", "nat", "standard deviation of the density's kernel", key="width"),
    Number(
        "density_left_out",
        "1",
        "fraction of all weights that is removed: an atom at zero in their space, left out of the density",
        key="left_out_at_zero",
    ),
)
EDGE = 0.5
"""of the peak of a single eigenvalue: where the density falls below it, the bulk ends"""


@dataclass(frozen=True)
class Density:
    """phi(t) = 1/d sum_i N(t; l_i, width^2), estimated; it integrates to one."""

    support: Floats
    """(POINTS,) equidistant"""
    values: Floats
    """(POINTS,) per nat: the mean over the probes"""
    stderr: Floats
    """(POINTS,) of that mean over the probes; NaN for a single one"""
    width: float
    """standard deviation of the Gaussian kernel"""
    dimension: int
    nodes: tuple[Floats, ...]
    """of each probe: Ritz values (at most `steps`)"""
    weights: tuple[Floats, ...]
    """of each probe: their shares of the spectrum, which sum to one"""

    def moment(self, power: int) -> float:
        """trace(A^power) / d, without the kernel; of a probe it is exact up to power 2 x steps - 1.

        >>> Density(*[np.zeros(1)] * 3, 0.1, 2, (np.array([1.0, 3.0]),), (np.array([0.5, 0.5]),)).moment(2)
        5.0
        """
        shares = zip(self.weights, self.nodes, strict=True)
        return math.fsum(float(weights @ nodes**power) for weights, nodes in shares) / len(self.nodes)

    @property
    def edge(self) -> float:
        """Where the bulk ends: the first point above the mode with less than half of one eigenvalue's peak."""
        peak = 1 / (self.dimension * self.width * math.sqrt(2 * math.pi))
        mode = int(self.values.argmax())
        return float(self.support[mode + int((self.values[mode:] < EDGE * peak).argmax())])


def spectral_density(
    product: Callable[[Tensor], Tensor], normal: Callable[[], Tensor], dimension: int, *, probes: int, steps: int
) -> Density:
    """The density of eigenvalues from `probes` normal start vectors with `steps` products each.

    Of each start vector q, the quadrature of q.f(A)q has the Ritz values as nodes and the squared first components of
    their vectors as weights; Lanczos is fully reorthogonalised, so that no eigenvalue is counted twice. The kernel's
    width is 1 % of the range of the nodes. `product`: v (d,) -> A v; `normal`: a standard normal vector (d,).

    Raises:
        BadInput: no probes or steps, or more steps than coordinates.

    >>> import torch
    >>> found = spectral_density(lambda v: 2 * v, lambda: torch.ones(3, dtype=torch.float64), 3, probes=2, steps=2)
    >>> round(found.moment(1), 9), round(float(found.values.sum() * (found.support[1] - found.support[0])), 6)
    (2.0, 1.0)
    """
    if probes < 1:
        raise BadInput(f"a density from {probes} probes: it takes 1 at least")
    if not 1 <= steps <= dimension:
        raise BadInput(
            f"a density from {steps} steps: the operator acts on {dimension} coordinates, expected 1 to that"
        )
    quadratures = [_quadrature(product, normal, dimension, steps) for _ in range(probes)]
    nodes, weights = zip(*quadratures, strict=True)
    low, high = min(map(np.min, nodes)), max(map(np.max, nodes))
    largest = max(abs(low), abs(high))
    width = WIDTH * float(high - low if high - low > ROUNDING * largest else largest or 1.0)
    support = np.linspace(low - MARGIN * width, high + MARGIN * width, POINTS)
    each = np.stack([_smooth(support, *quadrature, width) for quadrature in quadratures])  # (probes, points)
    unknown = np.full(POINTS, np.nan)
    stderr = each.std(0, ddof=1) / math.sqrt(probes) if probes > 1 else unknown
    return Density(support, each.mean(0), stderr, width, dimension, nodes, weights)


def _quadrature(
    product: Callable[[Tensor], Tensor], normal: Callable[[], Tensor], dimension: int, steps: int
) -> tuple[Floats, Floats]:
    """Nodes and weights of one start vector; fewer than `steps` where it lies in a smaller invariant subspace."""
    basis = Krylov(product, normal, dimension, steps + 1)
    basis.start()
    while basis.pending and len(basis.applied) < steps:
        basis.apply(basis.pending[0])
    ritz = basis.ritz()
    return ritz.values, ritz.rotation[0] ** 2


def _smooth(support: Floats, nodes: Floats, weights: Floats, width: float) -> Floats:
    kernels = np.exp(-0.5 * ((support[:, None] - nodes) / width) ** 2)  # (points, nodes)
    return np.asarray(kernels @ weights / (width * math.sqrt(2 * math.pi)))


def outliers(
    density: Mapping[str, Any], eigenvalues: Sequence[float], trace: float, classes: int | None
) -> dict[str, Any]:
    """The eigenvalues beyond the edge of the bulk, beside the number of classes.

    `density`: its summary; `eigenvalues`: the largest by value. `edge` is where their own smoothed density first falls
    below half of one eigenvalue's peak, which is the density's edge without the scatter of its probes. `complete` is
    False if all of them lie beyond the density's edge, so that there may be more: `edge` is the density's then.
    `top_share`: the sum of as many as there are classes over the trace; None where too few are known. Two eigenvalues
    are told apart from 3.3 kernel widths on: like the width, the count is one at a resolution of the whole range.

    >>> outliers({"edge": 1.5, "width": 0.1, "support": [1.0, 1.2, 1.4, 8.0]}, [8.0, 4.0, 1.0], 20.0, 2)
    {'edge': 1.2, 'count': 2, 'complete': True, 'classes': 2, 'top_share': 0.6}
    """
    largest = sorted(eigenvalues, reverse=True)
    complete = largest[-1] <= density["edge"]
    edge = _known_edge(np.array(density["support"]), density["width"], largest) if complete else density["edge"]
    known = classes is not None and len(largest) >= classes
    share = math.fsum(largest[:classes]) / trace if trace and known else None
    count = sum(value > edge for value in largest)
    return {"edge": edge, "count": count, "complete": complete, "classes": classes, "top_share": share}


def _known_edge(support: Floats, width: float, eigenvalues: Sequence[float]) -> float:
    """The first point above the smallest of these eigenvalues where they have less than half of one's peak."""
    heights = np.exp(-0.5 * ((support[:, None] - np.array(eigenvalues)) / width) ** 2).sum(1)  # (points, known)
    return float(support[((support > eigenvalues[-1]) & (heights < EDGE)).argmax()])


def summary(density: Density, steps: int, left_out: float) -> dict[str, Any]:
    """What the JSON object says; `left_out`: the mass of the removed weights' zeros, which are not in the density."""
    several = len(density.nodes) > 1
    return {
        "support": density.support.tolist(),
        "values": density.values.tolist(),
        "stderr": density.stderr.tolist() if several else None,
        "width": density.width,
        "edge": density.edge,
        "probes": len(density.nodes),
        "steps": steps,
        "left_out_at_zero": left_out,
    }


def write(place: Place, group: str, density: Density, left_out: float) -> None:
    """Write a spectral density and its errors as arrays over the scale `density_point`."""
    place.scale(f"{group}/density_point", list(range(POINTS)), "1", "point of the density's support")
    found = vars(density) | {"edge": density.edge, "left_out_at_zero": left_out}
    record.write(place, group, NUMBERS, found)
