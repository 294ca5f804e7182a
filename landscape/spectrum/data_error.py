"""The error of a curvature from having measured it on some of the examples only: a jackknife over blocks of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from landscape.spectrum.trace import in_blocks
from minima.store.command import BadInput

if TYPE_CHECKING:
    from landscape.objective.differentiable import Differentiable
    from landscape.objective.objective import Objective
    from landscape.spectrum.operator import Operator, Product

BLOCKS = 20
"""of examples; with as many, the stated error is itself known to about 16 %"""


def data_error(products: Iterable[Product], sizes: Sequence[int], vectors: Tensor, *, average: bool = False) -> Tensor:
    """(k,) standard errors of the quotients v.Av of `vectors` (k, d), A being the mean over some of all examples.

    Those that new examples would make; of n of N examples that exist, times `used_share(n, N)`. Jackknife over data
    blocks: `products` are v -> A_b v of each block, (k, d) -> (k, d), `sizes` its examples. With v an eigenvector of A,
    its quotient on each block is the eigenvalue's influence to first order, so that this is the error of the eigenvalue
    where the data move it by less than its distance to the next; one product per block and vector. `average`: (1,) of
    the mean of the quotients, which over probes of random signs is an estimate of the trace; their scatter between
    blocks then counts too, so that it errs upwards.

    Raises:
        BadInput: fewer than two blocks.

    >>> products = [lambda v: 1.0 * v, lambda v: 3.0 * v]
    >>> data_error(products, [5, 5], torch.tensor([[1.0, 0.0]])).item()
    1.0
    """
    return jackknife(_quotients(products, vectors, average=average), sizes)


def data_blocks(operator: Operator, objective: Objective, seed: int) -> tuple[Iterable[Product], list[int]]:
    """The operator over each of `BLOCKS` parts of the examples in turn, made when it is asked for, and their sizes."""
    sizes = block_sizes(len(objective.x))
    return operator.parts(objective, _parts(objective, sizes), seed), sizes


def curvature_error(
    objective: Objective,
    vectors: Tensor,
    function: Callable[[Objective], Differentiable] = lambda part: part,
    *,
    average: bool = False,
) -> float | None:
    """The error that new examples would make in v.Hv, or in its mean over `vectors` (k, d): see `data_error`.

    H: of the loss as `function` makes it of an objective. None of a single example.
    """
    sizes = block_sizes(len(objective.x))
    if len(sizes) < 2:
        return None
    products = (function(part).hvp for part in _parts(objective, sizes))
    return data_error(products, sizes, vectors, average=average).item()


def block_quotients(objective: Objective, vectors: Tensor) -> Tensor:
    """(blocks, k) the quotients v.Hv of `vectors` (k, d), H being that of each block of the examples by itself."""
    parts = _parts(objective, block_sizes(len(objective.x)))
    return _quotients((part.hvp for part in parts), vectors, average=False)


def mean_error(values: Tensor) -> float | None:
    """The error that new examples would make in the mean of `values` (n,), one for each example in file order.

    With the influence of each example on a measure it is that of the measure, to first order; None of one example.

    >>> mean_error(torch.tensor([1.0, 3.0]))
    1.0
    """
    sizes = block_sizes(len(values))
    if len(sizes) < 2:
        return None
    means = torch.stack([block.mean() for block in values.split(sizes)])
    return jackknife(means[:, None], sizes).item()


def relative_influence(highest: Tensor, lowest: Tensor) -> Tensor:
    """How much each example moves 100 (max - min) / (1 + min), to first order: (N,), but for a constant.

    `highest`, `lowest`: the examples' losses (N,) where the mean loss is largest and smallest. To first order neither
    place moves (the envelope theorem), so that only the two means do.
    """
    top, bottom = 1 + highest.mean(), 1 + lowest.mean()
    return 100 * (highest / bottom - lowest * top / bottom**2)


def jackknife(values: Tensor, sizes: Sequence[int]) -> Tensor:
    """(blocks, k) -> (k,) standard errors of the mean over all examples, each block left out in turn.

    Those of examples that are some of endlessly many; of N that exist, times `used_share`.
    """
    used, count = sum(sizes), len(sizes)
    if count < 2:
        raise BadInput(f"a jackknife over {count} blocks of {used} examples: expected 2 blocks at least")
    weights = torch.tensor(sizes, dtype=torch.float64)[:, None].to(values)
    without = ((weights * values).sum(0) - weights * values) / (used - weights)
    spread = (without - without.mean(0)).square().sum(0)
    return (spread * (count - 1) / count).sqrt()


def used_share(used: int, population: int) -> float:
    """sqrt(1 - n/N): what is left of an error when n of N examples are used, 0 with all of them.

    >>> used_share(36, 100), used_share(100, 100)
    (0.8, 0.0)
    """
    if used > population:
        raise BadInput(f"blocks of {used} examples among {population}: expected no more than there are")
    return math.sqrt(1 - used / population)


def block_sizes(examples: int) -> list[int]:
    """Examples in each of the `BLOCKS` blocks, as equal as can be; fewer blocks where there are fewer examples."""
    return [len(part) for part in torch.arange(examples).tensor_split(min(BLOCKS, examples))]


def _parts(objective: Objective, sizes: Sequence[int]) -> Iterator[Objective]:
    objective.release()  # each part keeps graphs of its own
    first = 0
    for size in sizes:
        yield objective.part(first, first := first + size)


def _quotients(products: Iterable[Product], vectors: Tensor, *, average: bool) -> Tensor:
    """v.Av of each block and vector, (blocks, k); averaged over the vectors (blocks, 1)."""
    found = torch.stack([(vectors * in_blocks(product, vectors)).sum(1).double() for product in products])
    return found.mean(1, keepdim=True) if average else found
