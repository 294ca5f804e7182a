"""The error of a curvature from having measured it on some of the examples only: a jackknife over blocks of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from landscape.trace import in_blocks
from store.command import BadInput

if TYPE_CHECKING:
    from landscape.objective import Objective
    from landscape.operator import Operator, Product

BLOCKS = 20
"""of examples; with as many, the stated error is itself known to about 16 %"""


def data_error(
    products: Iterable[Product], sizes: Sequence[int], vectors: Tensor, population: int, *, average: bool = False
) -> Tensor:
    """(k,) standard errors of the quotients v.Av of `vectors` (k, d), A being the mean over n of N examples.

    Jackknife over data blocks, x sqrt(1 - n/N): `products` are v -> A_b v of each block, (k, d) -> (k, d), `sizes` its
    examples, N = `population`. With v an eigenvector of A, its quotient on each block is the eigenvalue's influence to
    first order, so that this is the error of the eigenvalue where the data move it by less than its distance to the
    next; one product per block and vector. `average`: (1,) of the mean of the quotients, which over probes of random
    signs is an estimate of the trace; their scatter between blocks then counts too, so that it errs upwards.

    Raises:
        BadInput: fewer than two blocks, or more examples in them than there are.

    >>> products = [lambda v: 1.0 * v, lambda v: 3.0 * v]
    >>> data_error(products, [5, 5], torch.tensor([[1.0, 0.0]]), 20).item()
    0.7071067811865476
    """
    quotients = torch.stack([(vectors * in_blocks(product, vectors)).sum(1).double() for product in products])
    return _jackknife(quotients.mean(1, keepdim=True) if average else quotients, sizes, population)


def data_blocks(operator: Operator, objective: Objective, seed: int) -> tuple[Iterable[Product], list[int]]:
    """The operator over each of `BLOCKS` parts of the examples in turn, made when it is asked for, and their sizes."""
    parts = torch.arange(len(objective.x)).tensor_split(min(BLOCKS, len(objective.x)))
    bounds = [(int(part[0]), int(part[-1]) + 1) for part in parts]
    objective.release()  # each part keeps graphs of its own
    products = (operator.product(objective.part(first, last), seed) for first, last in bounds)
    return products, [last - first for first, last in bounds]


def _jackknife(quotients: Tensor, sizes: Sequence[int], population: int) -> Tensor:
    """(blocks, k) -> (k,), each block left out in turn."""
    used, count = sum(sizes), len(sizes)
    if count < 2 or used > population:
        raise BadInput(f"a jackknife over {count} blocks of {used} examples among {population}: expected 2 at least")
    weights = torch.tensor(sizes, dtype=torch.float64)[:, None].to(quotients)
    without = ((weights * quotients).sum(0) - weights * quotients) / (used - weights)
    spread = (without - without.mean(0)).square().sum(0)
    return (spread * (count - 1) / count * (1 - used / population)).sqrt()
