"""The part of `landscape.hessian` that finds eigenvalues."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from landscape.hessian.work import DATA_ERRORS, Work
from landscape.objective.streams import stream
from landscape.spectrum import eigenvectors
from landscape.spectrum.lanczos import Eigenpairs, top_eigenpairs
from minima.store.messages import progress_bar

if TYPE_CHECKING:
    from torch import Tensor

    from landscape.spectrum.operator import Product

ENDS = (("", "rank"), ("bottom_", "bottom_rank"))
"""of the spectrum: what arrays and keys begin with, and the scale"""
RESIDUAL = "||Av - lv|| / max(|l|, 1e-6 |l_1|)"


def measure(work: Work) -> dict[str, Any]:
    """Find the eigenvalues that were asked for, write them, and return what the JSON object says of them."""
    arguments = work.arguments
    start, before = _start(work)
    with work.product("eigenvalues") as product:
        pairs = _solve(work, product, start)
    _write(work, pairs)
    errors = _data_errors(work, pairs)
    if arguments.eigenvectors == "keep":
        eigenvectors.write(work.place, work.objective.coordinates, pairs.vectors)
    lowest = pairs.bottom
    bottom = {"bottom_eigenvalues": lowest.values.tolist(), "bottom_residuals": lowest.residuals.tolist()}
    return {
        "operator": work.operator.name,
        **asdict(work.operator),
        "eigenvalues": pairs.values.tolist(),
        "residuals": pairs.residuals.tolist(),
        **errors,
        **(bottom if arguments.bottom else {}),
        "converged": pairs.converged,
        "products": pairs.products,
        **({"warm_products": before} if arguments.warm_samples else {}),
    }


def _data_errors(work: Work, pairs: Eigenpairs) -> dict[str, list[float] | None]:
    """Of the eigenvalues, the smallest ones included; written, and by the keys of the JSON object."""
    vectors = torch.cat([pairs.vectors, pairs.bottom.vectors]) if work.arguments.bottom else pairs.vectors
    own: dict[str, list[float] | None] = {}
    for key, errors in work.data_errors(vectors).items():
        known = np.full(len(vectors), np.nan) if errors is None else np.array(errors)
        ends = np.split(known, [len(pairs.values)])
        for (end, rank), values in zip(ENDS[: 1 + bool(work.arguments.bottom)], ends, strict=False):
            work.place.write(f"hessian/{end}{key}", values, (rank,), "nat", DATA_ERRORS[key])
            own[end + key] = None if errors is None else values.tolist()
    return own


def _start(work: Work) -> tuple[Tensor | None, int]:
    """A direction (d,) to begin with, and how many products over some of the examples it cost."""
    arguments, objective = work.arguments, work.objective
    if arguments.warm_start is not None:
        return eigenvectors.read(arguments.warm_start, objective.coordinates).sum(0), 0
    if arguments.warm_samples is None:
        return None, 0
    some = Work(work.place, objective.part(0, arguments.warm_samples), work.operator, arguments, work.share)
    with some.product("eigenvalues-of-some") as product:
        pairs = _solve(some, product, None)
    return pairs.vectors.sum(0), pairs.products


def _solve(work: Work, product: Product, start: Tensor | None) -> Eigenpairs:
    arguments, objective = work.arguments, work.objective
    draws = stream(arguments.seed, "lanczos")
    with progress_bar(unit="product") as shown:

        def watch(products: int, error: float) -> None:
            shown.set_postfix_str(f"worst error {error:.1e}", refresh=False)
            shown.update(products - shown.n)

        return top_eigenpairs(
            product,
            lambda: objective.normal(draws),
            objective.dimension,
            arguments.top,
            bottom=arguments.bottom,
            tolerance=arguments.tolerance,
            by=arguments.by,
            known=work.known if start is None else None,
            start=start,
            memory=arguments.vector_bytes,
            watch=watch,
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
