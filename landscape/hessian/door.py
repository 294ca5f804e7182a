"""Eigenvalues, trace and density of a network's curvature from Python."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Unpack

from landscape.hessian import eigenvalues, traces
from landscape.hessian.compute import check_size, find_density, operator_of
from landscape.hessian.flags import Curvature, check
from landscape.hessian.work import Work
from landscape.objective.handed import Handed, Position, Where, handed
from minima.store.hdf5.results import in_memory
from minima.zoo.settings import chosen
from minima.zoo.subject.handed import LossLike

if TYPE_CHECKING:
    from torch import Tensor, nn

    from landscape.spectrum.density import Density
    from landscape.spectrum.krylov import Floats


@dataclass(frozen=True)
class TopEigenvalues(Position):
    """The outermost eigenvalues of a curvature operator with errors and eigenvectors, and where the network sits.

    Eigenvalues are in the unit of the loss (nat for cross-entropy); `stderr` is the error of having these examples.
    """

    operator: str
    values: Floats
    """(k,) the largest, descending"""
    residuals: Floats
    """(k,) ||A v - l v|| / max(|l|, 1e-6 |l_1|)"""
    stderr: Floats | None
    """(k,) error that other examples would make, as many: jackknife over blocks of them; None of a single example"""
    vectors: Tensor
    """(k, d) unit eigenvectors in the coordinates of the weights that may move, float64; float32 if memory is short"""
    bottom: Floats
    """the smallest, the smallest first, as many as were asked for"""
    bottom_vectors: Tensor
    products: int
    """matrix-vector products spent"""
    converged: bool
    """whether all are within the tolerance"""


@dataclass(frozen=True)
class TraceEstimate(Position):
    """The trace of a curvature operator in the unit of the loss, with its errors, and where the network sits."""

    operator: str
    value: float
    stderr: float | None
    """of the random probes; None of a single one"""
    data_stderr: float | None
    """error that other examples would make, as many; None of a single example"""
    samples: tuple[float, ...]
    """each probe's estimate"""


@dataclass(frozen=True)
class SpectralDensity(Position):
    """The density of all eigenvalues of a curvature operator, which integrates to one, and where the network sits."""

    operator: str
    density: Density
    """support, values, standard errors, kernel width, and the edge of the bulk"""


def top_eigenvalues(  # noqa: PLR0913 (named, and all but two optional)
    model: nn.Module,
    data: Any,
    loss: LossLike = None,
    *,
    k: int = 5,
    operator: str = "hessian",
    bottom: int = 0,
    by: Literal["value", "magnitude"] = "value",
    tolerance: float = 1e-3,
    draws: int = 1,
    seed: int = 0,
    **where: Unpack[Where],
) -> TopEigenvalues:
    """The largest eigenvalues of the Hessian of a network's mean loss, or of its kin.

    H = d^2 L / dw^2 of L(w) = sum_i s_i / sum_i w_i over the examples, by Lanczos (1950) with full reorthogonalisation
    in float64, each eigenvalue to a relative `tolerance`; a random witness tells, at a risk of 0.3 %, that none above
    them was missed.

    Args:
        model: any module; it stays as it is.
        data: (x, y), or whatever `minima.zoo.data.examples.as_examples` reads.
        loss: a name ("mse", "cross-entropy:label_smoothing=0.1"), a `Loss`, or a function of outputs and targets.
        k: how many.
        operator: "hessian", "ggn" (Gauss-Newton), "empirical-fisher", "mc-fisher", "gradient-covariance".
        bottom: also so many of the smallest.
        by: the largest by value, or in magnitude.
        draws: labels that mc-fisher draws for each example.
        seed: `python -m landscape.hessian` finds the same numbers with it.
        where: masks, subspace, parameters, output, ...: see `landscape.objective.handed.Where`.

    Returns:
        values with residuals, errors and eigenvectors.

    Raises:
        BadInput: more eigenvalues than weights, or model, data and loss do not fit together.

    >>> import torch
    >>> model = torch.nn.Linear(2, 1, bias=False)
    >>> x, y = torch.tensor([[1.0, 0.0], [0.0, 3.0]]), torch.zeros(2, 1)
    >>> top_eigenvalues(model, (x, y), "mse", k=2).values.round(4)
    array([9., 1.])
    """
    wanted = chosen(Curvature(top=k, bottom=bottom, tolerance=tolerance, by=by, operator=operator, draws=draws))
    with handed(model, data, loss, where) as at:
        found = eigenvalues.find(_work(at, wanted, seed))
        pairs, errors = found.pairs, found.errors["data_stderr_new"]
        return TopEigenvalues(
            **at.position,
            operator=operator,
            values=pairs.values,
            residuals=pairs.residuals,
            stderr=None if errors is None else errors[: len(pairs.values)],
            vectors=pairs.vectors,
            bottom=pairs.bottom.values,
            bottom_vectors=pairs.bottom.vectors,
            products=pairs.products,
            converged=pairs.converged,
        )


def hessian_trace(
    model: nn.Module,
    data: Any,
    loss: LossLike = None,
    *,
    probes: int = 64,
    estimator: Literal["hutchinson", "hutch++", "xtrace"] = "hutchinson",
    operator: str = "hessian",
    draws: int = 1,
    seed: int = 0,
    **where: Unpack[Where],
) -> TraceEstimate:
    """The trace of the Hessian of a network's mean loss, or of its kin, with its standard error.

    trace H = E z.Hz over random z of independent signs (Hutchinson 1990); "hutch++" (Meyer et al. 2021) and "xtrace"
    (Epperly et al. 2024) sketch the range first, which pays where few eigenvalues carry the trace.

    Args:
        probes: products with random vectors.
        estimator: how.
        model, data, loss, operator, draws, seed, where: as for `top_eigenvalues`.

    Returns:
        the estimate, its error from the probes, and its error from the examples.

    >>> import torch
    >>> model = torch.nn.Linear(2, 1, bias=False)
    >>> x, y = torch.tensor([[1.0, 0.0], [0.0, 3.0]]), torch.zeros(2, 1)
    >>> hessian_trace(model, (x, y), "mse", probes=4).value
    10.0
    """
    wanted = chosen(Curvature(top=1, trace=probes, trace_estimator=estimator, operator=operator, draws=draws))
    with handed(model, data, loss, where) as at:
        found = traces.find(_work(at, wanted, seed))
        return TraceEstimate(
            **at.position,
            operator=operator,
            value=found.estimate.value,
            stderr=found.estimate.stderr,
            data_stderr=found.errors["data_stderr_new"],
            samples=found.estimate.samples,
        )


def spectral_density_of(
    model: nn.Module,
    data: Any,
    loss: LossLike = None,
    *,
    probes: int = 5,
    steps: int = 40,
    operator: str = "hessian",
    draws: int = 1,
    seed: int = 0,
    **where: Unpack[Where],
) -> SpectralDensity:
    """The density of all eigenvalues of the Hessian of a network's mean loss, or of its kin.

    phi(t) = 1/d sum_i N(t; l_i, width^2) by stochastic Lanczos quadrature (Ghorbani et al. 2019).

    Args:
        probes: random start vectors.
        steps: products for each of them.
        model, data, loss, operator, draws, seed, where: as for `top_eigenvalues`.

    Returns:
        the density over its support, which integrates to one, with its standard error over the probes.

    >>> import torch
    >>> model = torch.nn.Linear(2, 1, bias=False)
    >>> x, y = torch.tensor([[1.0, 0.0], [0.0, 3.0]]), torch.zeros(2, 1)
    >>> found = spectral_density_of(model, (x, y), "mse", probes=2, steps=2).density
    >>> sorted(found.nodes[0].round(4).tolist())
    [1.0, 9.0]
    """
    wanted = chosen(
        Curvature(top=1, density=True, density_probes=probes, density_steps=steps, operator=operator, draws=draws)
    )
    with handed(model, data, loss, where) as at:
        return SpectralDensity(**at.position, operator=operator, density=find_density(_work(at, wanted, seed)))


def _work(at: Handed, wanted: Curvature, seed: int) -> Work:
    """What a part of the command works on, with a place for it in memory; refused as the command does."""
    check(wanted)
    check_size(wanted, at.objective)
    operator = operator_of(wanted)
    operator.check()
    known = at.known if operator.name == "hessian" else None
    return Work(
        in_memory(), at.objective, operator, replace(wanted, eigenvectors="drop"), seed, at.subject.used_share, known
    )
