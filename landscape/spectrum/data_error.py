"""The error of a curvature from having measured it on some of the examples only: a jackknife over blocks of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from landscape.spectrum.example_blocks import ExampleBlocks, blocks_of
from landscape.spectrum.trace import in_blocks
from minima.store.command import BadInput

if TYPE_CHECKING:
    from landscape.objective.differentiable import Differentiable
    from landscape.objective.objective import Objective
    from landscape.spectrum.operator import Operator, Product

DATA_PROBES = 8
"""of a trace's probes: those that the error of new examples is estimated with"""


def data_error(
    products: Iterable[Product],
    weights: Sequence[float],
    vectors: Tensor,
    *,
    average: bool = False,
    singly: bool = False,
) -> Tensor:
    """(k,) standard errors of the quotients v.Av of `vectors` (k, d), A being the mean over some of all examples.

    Those that new examples would make; of n of N examples that exist, times `used_share(n, N)`. Jackknife over data
    blocks: `products` are v -> A_b v of each block, (k, d) -> (k, d), `weights` those of its examples, summed. With v
    an eigenvector of A, its quotient on each block is the eigenvalue's influence to first order, so that this is the
    error of the eigenvalue where the data move it by less than its distance to the next; one product per block and
    vector. `average`: (1,) of the mean of the quotients, which over probes of random signs is an estimate of the trace;
    their scatter between blocks then counts too, so that it errs upwards. `singly`: one product after the other, in
    less memory.

    Raises:
        BadInput: fewer than two blocks.

    >>> products = [lambda v: 1.0 * v, lambda v: 3.0 * v]
    >>> data_error(products, [5, 5], torch.tensor([[1.0, 0.0]])).item()
    1.0
    """
    return jackknife(_quotients(products, vectors, average=average, singly=singly), weights)


def data_blocks(operator: Operator, objective: Objective, seed: int) -> tuple[Iterable[Product], Sequence[float]]:
    """The operator over each block of the examples in turn, made when it is asked for, and the blocks' weights."""
    blocks = blocks_of(objective, seed)
    objective.release()  # each part keeps graphs of its own
    return operator.parts(objective, blocks.rows, seed), blocks.weights


def curvature_error(
    objective: Objective,
    vectors: Tensor,
    seed: int,
    function: Callable[[Objective], Differentiable] = lambda part: part,
    *,
    average: bool = False,
) -> float | None:
    """The error that new examples would make in v.Hv, or in its mean over `vectors` (k, d): see `data_error`.

    H: of the loss as `function` makes it of an objective. None of a single example.
    """
    blocks = blocks_of(objective, seed)
    if len(blocks) < 2:
        return None
    products = (function(part).hvp for part in _parts(objective, blocks, seed))
    return data_error(products, blocks.weights, vectors, average=average).item()


def block_quotients(objective: Objective, vectors: Tensor, seed: int) -> tuple[Tensor, Sequence[float]]:
    """(blocks, k) the quotients v.Hv of `vectors` (k, d), H being that of a block alone, and the blocks' weights."""
    blocks = blocks_of(objective, seed)
    return _quotients((part.hvp for part in _parts(objective, blocks, seed)), vectors, average=False), blocks.weights


@dataclass(frozen=True)
class BlockProducts:
    """H v of some vectors, some of them taken block by block of the examples."""

    products: Tensor
    """(k, d) over all examples"""
    quotients: Tensor
    """(blocks, told) v.Hv of each block alone, of the first `told` vectors"""
    weights: Sequence[float]
    """(blocks,) of the blocks' examples, summed"""


def block_products(
    objective: Objective, vectors: Tensor, seed: int, function: Callable[[Objective], Differentiable], told: int
) -> BlockProducts:
    """H v of `vectors` (k, d), H being of the loss as `function` makes it of an objective.

    Only the first `told` have to be taken block by block, and all are where that is as cheap: where blocks are not much
    smaller than what is computed at once, or there is no room for graphs of both.
    """
    blocks = blocks_of(objective, seed)
    total, quotients = sum(blocks.weights) or 1.0, []
    apart = vectors[:told] if _cheaper_at_once(objective, len(blocks)) else vectors
    whole = torch.zeros_like(apart, dtype=torch.float64)
    for part, weight in zip(_parts(objective, blocks, seed) if len(apart) else (), blocks.weights, strict=False):
        own = in_blocks(function(part).hvp, apart)
        quotients.append((apart * own).sum(1).double())
        whole.add_(own, alpha=weight / total)
    if len(apart) < len(vectors):
        whole = torch.cat([whole, in_blocks(function(objective).hvp, vectors[len(apart) :])])
    each = torch.stack(quotients) if quotients else whole.new_zeros(len(blocks), 0)
    return BlockProducts(whole, each, blocks.weights)


def mean_error(objective: Objective, values: Tensor, seed: int) -> float | None:
    """The error that new examples would make in the mean of `values` (N,): what each example has of it, in file order.

    With the influence of each example on a measure it is that of the measure, to first order; None of one example.
    """
    blocks, weighing = blocks_of(objective, seed), objective.weighing
    if len(blocks) < 2:
        return None
    share = weighing.total / weighing.count
    pairs = zip(blocks.rows, blocks.weights, strict=True)
    means = torch.stack([share * values[rows].sum() / (weight or 1.0) for rows, weight in pairs])
    return jackknife(means[:, None], blocks.weights).item()


def relative_influence(highest: Tensor, lowest: Tensor) -> Tensor:
    """How much each example moves 100 (max - min) / (1 + min), to first order: (N,), but for a constant.

    `highest`, `lowest`: the examples' losses (N,) where the mean loss is largest and smallest. To first order neither
    place moves (the envelope theorem), so that only the two means do.
    """
    top, bottom = 1 + highest.mean(), 1 + lowest.mean()
    return 100 * (highest / bottom - lowest * top / bottom**2)


def jackknife(values: Tensor, weights: Sequence[float]) -> Tensor:
    """(blocks, k) -> (k,) standard errors of the mean by weight, each block left out in turn: (S - S_b) / (W - W_b).

    `weights` (blocks,) W_b: of a block's examples, summed. The errors are those of examples that are some of endlessly
    many; of N that exist, times `used_share`.

    >>> jackknife(torch.tensor([[1.0], [3.0]]), [1.0, 1.0]).item()
    1.0
    """
    total, count = sum(weights), len(weights)
    if count < 2:
        raise BadInput(f"a jackknife over {count} blocks of the weight {total:g}: expected 2 blocks at least")
    own = torch.tensor(weights, dtype=torch.float64)[:, None].to(values)
    without = ((own * values).sum(0) - own * values) / (total - own)
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


def _parts(objective: Objective, blocks: ExampleBlocks, seed: int) -> Iterable[Objective]:
    """The objective over each block. Where there is room for it, graphs are kept from one call to the next, beside
    those of the whole; else each part's are freed before the next one's are made.
    """
    from landscape.objective.pearlmutter import gradient_graph

    if not objective.keeper.holds(gradient_graph, len(objective.x), 2):
        objective.release()
        return (objective.of(rows) for rows in blocks.rows)
    known: dict[int, Sequence[Objective]] = objective.keeper.parts
    if seed not in known:
        known.clear()
        known[seed] = [objective.of(rows) for rows in blocks.rows]
    return known[seed]


def _cheaper_at_once(objective: Objective, blocks: int) -> bool:
    from landscape.objective.pearlmutter import gradient_graph

    used = len(objective.x)
    return min(objective.batch_size, used) >= 2 * used / blocks and objective.keeper.holds(gradient_graph, used, 2)


def _quotients(products: Iterable[Product], vectors: Tensor, *, average: bool, singly: bool = False) -> Tensor:
    """v.Av of each block and vector, (blocks, k); averaged over the vectors (blocks, 1)."""
    parts = vectors.split(1) if singly else (vectors,)
    found = torch.stack(
        [torch.cat([(some * in_blocks(product, some)).sum(1).double() for some in parts]) for product in products]
    )
    return found.mean(1, keepdim=True) if average else found
