"""What counting takes: in how many blocks, of which layers all pairs, and how much memory, told before it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import comb
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from entropy.counting.blocks import BLOCKS, Blocks
from entropy.counting.states import Neurons, per_neuron
from entropy.counting.tally import counter
from entropy.information.panel import PANEL
from entropy.information.permutations import LABEL
from entropy.information.site import Site
from minima.store.memory import GIB
from minima.zoo.anatomy.sites import Sites
from minima.zoo.examples.inputs import Inputs, leaves

if TYPE_CHECKING:
    from entropy.information.request import Request, Together

COUNT_BYTES = 2**29
"""memory the counts may take; a network with more neurons is counted in fewer blocks"""
PAIR_WORK = 2**38
"""multiplications that all pairs of a layer may take (some seconds); beyond, pairs are sampled unless all are wanted"""
PAIR_BYTES = 2**30
"""memory that the states of a layer, or its table of pairs, may take likewise"""
LOOK_UP = 220
"""multiplications that take as long as one pair's entropies in one class"""
ALIVE = 6
"""largest layers of a batch, in the network's numbers, that a pass and the states it shows hold together"""
WORKED_OUT = 5
"""arrays of 8 bytes by class and neuron of one layer that its numbers and its place in the file take"""
OF_TUPLES = 6
"""likewise by class, tuple and joint state"""


def sites_of(model: nn.Module, x: Inputs, neurons: Neurons, picked: Callable[[Any], Any]) -> list[Site]:
    """Every site of a network, in eval mode already, as a pass over the first example of x (N, ...) shows them."""
    found = []

    def visit(name: str, potential: Tensor, channels: int) -> None:
        _, own, positions = per_neuron(potential, channels, neurons).shape
        found.append(Site(name, own, positions, potential.numel() * potential.element_size()))

    Sites(model, visit, picked=picked).run(x[:1])
    return found


def affordable_blocks(sites: Sequence[Site], examples: int, classes: int) -> int:
    """As many jackknife blocks as the counts of all position neurons leave memory for, one at least."""
    per_block = sum(site.neurons * site.positions for site in sites) * classes * torch.int16.itemsize
    return max(1, min(BLOCKS, examples, COUNT_BYTES // per_block))


def all_pairs(together: Together, neurons: int, positions: int, blocks: Blocks) -> bool:
    """Whether all pairs of a site are wanted, or can be counted within `PAIR_WORK` and `PAIR_BYTES`."""
    if together.pairs != "auto":
        return together.pairs == "all"
    examples, classes = int(blocks.sizes.sum()), blocks.sizes.shape[1]
    work = neurons**2 // 2 * (examples * positions + LOOK_UP * classes)
    return work <= PAIR_WORK and _pair_bytes(neurons, positions, blocks) <= PAIR_BYTES


def affordable_batch(sites: Sequence[Site], x: Inputs, batch_size: int, memory: float) -> int:
    """`batch_size` examples at once, or as many as a quarter of `memory` GiB holds in a pass."""
    return max(1, int(min(batch_size, memory * GIB / 4 // _pass_bytes(sites, x))))


def needed_bytes(sites: Sequence[Site], x: Inputs, batch_size: int, blocks: Blocks, request: Request) -> int:
    """What is held of all layers at once, beside a pass of a batch, or the numbers of the largest layer and the results
    after it; or the results, twice, while their file is written."""
    classes = blocks.sizes.shape[1]
    held = sum(_held(site, blocks, request) for site in sites)
    held += request.permutations * int(blocks.sizes.sum()) * LABEL.itemsize
    worked_out = 8 * WORKED_OUT * classes * max(site.neurons for site in sites)
    results = request.results(sites, classes)
    return max(held + max(worked_out + results, batch_size * _pass_bytes(sites, x)), 2 * results)


def _pass_bytes(sites: Sequence[Site], x: Inputs) -> int:
    """What a pass takes for each example of its batch, and looking at its largest layer."""
    inputs = sum(leaf.numel() * leaf.element_size() for leaf in leaves(x[:1]))
    return inputs + ALIVE * max(site.bytes for site in sites)


def _held(site: Site, blocks: Blocks, request: Request) -> int:
    """Of one site, until all examples have been seen; beside its counts what was asked for."""
    cells, classes, n = blocks.sizes.numel(), blocks.sizes.shape[1], site.neurons
    held = cells * n * counter(blocks, site.positions).itemsize + 8 * 6 * n
    held += request.permutations * n * (4 * classes + 8) + request.selectivity * 2 * 8 * classes * n
    order = request.together.order
    if order == 1 or n < order:
        return held
    if order == 2 and all_pairs(request.together, n, site.positions, blocks):
        return held + _pair_bytes(n, site.positions, blocks) + 4 * cells * min(PANEL, n) ** 2
    tuples = min(request.together.tuples, comb(n, order))
    return held + (4 * cells + 8 * OF_TUPLES * classes) * tuples * 2**order


def _pair_bytes(neurons: int, positions: int, blocks: Blocks) -> int:
    """Of the states of position neurons, which are kept, or of the table of pairs that others have."""
    examples, classes = int(blocks.sizes.sum()), blocks.sizes.shape[1]
    return neurons * examples if positions == 1 else neurons**2 * classes * torch.int32.itemsize
