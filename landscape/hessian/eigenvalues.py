"""The part of `landscape.hessian` that finds eigenvalues."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import torch

from landscape.hessian.work import DATA_ERRORS, Work
from landscape.objective.streams import stream
from landscape.spectrum import eigenvectors
from landscape.spectrum.compact.search import compact_eigenpairs
from landscape.spectrum.krylov import Floats
from landscape.spectrum.lanczos import Eigenpairs, top_eigenpairs
from landscape.spectrum.watching import Outlook
from minima.store.messages import progress_bar

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.spectrum.ends import By
    from landscape.spectrum.operator import Product

ENDS = (("", "rank"), ("bottom_", "bottom_rank"))
"""of the spectrum: what arrays and keys begin with, and the scale"""
RESIDUAL = "||Av - lv|| / max(|l|, 1e-6 |l_1|)"


class Asked(TypedDict):
    """What both searches for eigenvalues, in float64 and in float32, are asked."""

    bottom: int
    tolerance: float
    by: By
    watch: Callable[[int, float], object]


@dataclass(frozen=True)
class Eigenvalues:
    """The outermost eigenvalues of a curvature operator."""

    pairs: Eigenpairs
    errors: Mapping[str, Floats | None]
    """by the keys of `DATA_ERRORS`, of the largest and then of the smallest eigenvalues; None where there is none"""
    before: int
    """products over some of the examples, for a start"""


def find(work: Work) -> Eigenvalues:
    """The eigenvalues that are asked for, with the errors that their examples make."""
    start, before = _start(work)
    with work.product("eigenvalues") as product:
        pairs = _solve(work, product, start)
    vectors = torch.cat([pairs.vectors, pairs.bottom.vectors]) if work.wanted.bottom else pairs.vectors
    found = work.data_errors(vectors)
    return Eigenvalues(pairs, {key: None if each is None else np.array(each) for key, each in found.items()}, before)


def measure(work: Work) -> dict[str, Any]:
    """Find the eigenvalues that were asked for, write them, and return what the JSON object says of them."""
    wanted, found = work.wanted, find(work)
    pairs = found.pairs
    _write(work, pairs)
    errors = _write_errors(work, found)
    if wanted.eigenvectors == "keep":
        if work.objective.keeper.rows is not None:
            eigenvectors.scale(work.place, work.objective.coordinates)
        eigenvectors.write(work.place, work.objective.coordinates, pairs.vectors)
    lowest = pairs.bottom
    bottom = {"bottom_eigenvalues": lowest.values.tolist(), "bottom_residuals": lowest.residuals.tolist()}
    return {
        "operator": work.operator.name,
        **asdict(work.operator),
        "eigenvalues": pairs.values.tolist(),
        "residuals": pairs.residuals.tolist(),
        **errors,
        **(bottom if wanted.bottom else {}),
        "converged": pairs.converged,
        "products": pairs.products,
        **({"warm_products": found.before} if wanted.warm_samples else {}),
    }


def _write_errors(work: Work, found: Eigenvalues) -> dict[str, list[float] | None]:
    """Of the eigenvalues, the smallest ones included; written, and by the keys of the JSON object."""
    own: dict[str, list[float] | None] = {}
    top, bottom = len(found.pairs.values), work.wanted.bottom
    for key, errors in found.errors.items():
        known = np.full(top + bottom, np.nan) if errors is None else errors
        for (end, rank), values in zip(ENDS[: 1 + bool(bottom)], np.split(known, [top]), strict=False):
            work.place.write(f"hessian/{end}{key}", values, (rank,), "nat", DATA_ERRORS[key])
            own[end + key] = None if errors is None else values.tolist()
    return own


def _start(work: Work) -> tuple[Tensor | None, int]:
    """A direction (d,) to begin with, and how many products over some of the examples it cost."""
    wanted, objective = work.wanted, work.objective
    if wanted.warm_start is not None:
        return eigenvectors.read(wanted.warm_start, objective.coordinates).sum(0), 0
    if wanted.warm_samples is None:
        return None, 0
    some = Work(work.place, objective.part(0, wanted.warm_samples), work.operator, wanted, work.seed, work.share)
    with some.product("eigenvalues-of-some") as product:
        pairs = _solve(some, product, None)
    return pairs.vectors.sum(0), pairs.products


def _solve(work: Work, product: Product, start: Tensor | None) -> Eigenpairs:
    wanted, objective = work.wanted, work.objective
    draws = stream(work.seed, "lanczos")
    outlook = Outlook(wanted.tolerance)
    with progress_bar(unit="product") as shown:

        def watch(products: int, error: float) -> None:
            shown.set_postfix_str(f"worst error {error:.1e}{outlook.after(products, error)}", refresh=False)
            shown.update(products - shown.n)

        rows, normal = objective.keeper.rows, lambda: objective.normal(draws)
        asked: Asked = {"bottom": wanted.bottom, "tolerance": wanted.tolerance, "by": wanted.by, "watch": watch}
        if rows is not None:
            return compact_eigenpairs(product, normal, objective.dimension, wanted.top, rows, **asked)
        return top_eigenpairs(
            product,
            normal,
            objective.dimension,
            wanted.top,
            **asked,
            known=work.known if start is None else None,
            start=start,
            memory=objective.keeper.vector_bytes,
        )


def _write(work: Work, pairs: Eigenpairs) -> None:
    place, title = work.place, work.operator.title
    place.scale("hessian/rank", list(range(1, len(pairs.values) + 1)), "1", "rank by value")
    place.write("hessian/eigenvalues", pairs.values, ("rank",), "nat", f"largest eigenvalues of the {title}")
    place.write("hessian/residuals", pairs.residuals, ("rank",), "1", RESIDUAL)
    place.write("hessian/products", pairs.products, (), "1", "products with vectors for the eigenvalues")
    if lowest := len(pairs.bottom.values):
        place.scale("hessian/bottom_rank", list(range(1, lowest + 1)), "1", "rank by value from below")
        meaning = f"smallest eigenvalues of the {title}"
        place.write("hessian/bottom_eigenvalues", pairs.bottom.values, ("bottom_rank",), "nat", meaning)
        place.write("hessian/bottom_residuals", pairs.bottom.residuals, ("bottom_rank",), "1", RESIDUAL)
