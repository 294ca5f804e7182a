"""PSP-entropy of a network over a set of examples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from entropy.counting.blocks import BLOCKS, Blocks, Run, deal
from entropy.counting.pairs import CoOccurrences, KeptStates, PairTable
from entropy.counting.responses import Responses
from entropy.counting.states import Neurons, States
from entropy.counting.tally import Tally
from entropy.counting.ties import Ties
from entropy.counting.tuples import TupleTally, draw_tuples
from entropy.counting.watching import Onlookers, watch
from entropy.information.joint import JointEntropy, of_all_pairs, of_nothing, of_tuples
from entropy.information.layer import LayerEntropy
from entropy.information.pair_entropies import tiles
from entropy.information.panel import Panel
from entropy.information.permutations import Permutations, PermutedTally
from minima.store.command import BadInput
from minima.zoo.anatomy.sites import Sites
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import Inputs
from minima.zoo.examples.outputs import pick
from minima.zoo.seeds import derive

COUNT_BYTES = 2**29
"""memory the counts may take; a network with more neurons is counted in fewer blocks"""
PAIR_WORK = 2**38
"""multiplications that all pairs of a layer may take (some seconds); beyond, pairs are sampled unless all are wanted"""
PAIR_BYTES = 2**30
"""memory that the states of a layer, or its table of pairs, may take likewise"""
TUPLES = 2000
"""tuples of a sample"""
LOOK_UP = 220
"""multiplications that take as long as one pair's entropies in one class"""
LARGEST_ORDER = 8
PUBLISHED_CLAMP = 1e-4


@dataclass(frozen=True)
class Together:
    """How many neurons are looked at together, and which of the many tuples if not all pairs."""

    order: int = 1
    tuples: int = TUPLES
    """in a sample: of a layer with too many pairs, and always from order 3 on"""
    seed: int = 0
    """of the sample"""
    pairs: Literal["auto", "all", "sampled"] = "auto"
    """whether all pairs of a layer are looked at, or a sample; auto: all where that takes seconds"""

    def __post_init__(self) -> None:
        if not 1 <= self.order <= LARGEST_ORDER:
            raise BadInput(f"--order {self.order}: expected 1 to {LARGEST_ORDER} neurons looked at together")
        if self.tuples < 2:
            raise BadInput(f"--tuples {self.tuples}: expected at least 2")


@dataclass(frozen=True)
class Request:
    """What to measure beside the first order, which comes with every pass."""

    together: Together = Together()
    clamp: float = 0.0
    """how far frequencies are kept from 0 and 1: 1e-4 in the published code, 0 by the definition"""
    permutations: int = 0
    """random permutations of the labels to compare the class information with"""
    selectivity: bool = False
    """whether to gather mean activations too"""
    ties: bool = False
    """whether to count the potentials that are zero to rounding"""
    output: Callable[[Tensor, Tensor], None] | None = None
    """who is shown what the network returned for each batch, and which examples (rows of x) it is of"""
    picked: Callable[[Any], Any] = pick
    """which of several outputs is the network's"""


FIRST_ORDER = Request()


def measure(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    classes: int,
    *,
    neurons: Neurons = "position",
    batch_size: int = 256,
    available: int | None = None,
    request: Request = FIRST_ORDER,
) -> tuple[list[LayerEntropy], dict[str, tuple[int, ...]]]:
    """PSP-entropy of every layer of `model` over x (N, ...) with labels y (N,), in forward order.

    The output layer comes last. In eval mode; the model comes out as it went in. `available`: examples in the split
    that x is the first part of. Also returned: the inputs of activations that have no row per example (shapes by
    name), which are no neurons.
    """
    with evaluating(model):
        blocks = deal(y, classes, _affordable_blocks(model, x, classes, request.picked))
        responses = Responses(blocks, neurons) if request.selectivity else None
        ties = Ties() if request.ties else None
        onlookers = Onlookers(
            ties.add if ties else None, responses.add if responses else None, request.output, request.picked
        )
        found = watch(model, x, blocks, neurons, batch_size, _begin(blocks, request), onlookers)
    means = responses.means() if responses else {}
    layers = []
    for name, site in found.sites.items():
        layer = LayerEntropy(
            name=name,
            shape=site.tally.shape,
            output=name == found.output,
            block_counts=site.tally.numpy(),
            block_observed=blocks.sizes.numpy() * site.tally.positions,
            used=len(x),
            available=available or len(x),
            clamp=request.clamp,
            responses=means.get(name),
            ties=ties.counts[name] if ties else None,
            permuted=site.permuted.information() if site.permuted else None,
        )
        order = request.together.order
        layers.append(layer if order == 1 else replace(layer, joint=site.joint(order, layer)))
    return layers, found.skipped


@dataclass
class _Site:
    """What is gathered of one site: first-order counts, and on request pairs, tuples, permuted counts."""

    tally: Tally
    permuted: PermutedTally | None = None
    pairs: CoOccurrences | None = None
    panel: Panel | None = None
    tuples: TupleTally | None = None

    def add(self, states: States, runs: list[Run]) -> None:
        for gatherer in (self.tally, self.permuted, self.pairs, self.panel, self.tuples):
            if gatherer is not None:
                gatherer.add(states, runs)

    def joint(self, order: int, layer: LayerEntropy) -> JointEntropy:
        """The joint entropies, once everything has been seen."""
        alive = ~(layer.dead | layer.always_on)
        if self.tuples is not None:
            return of_tuples(self.tuples.tuples, self.tuples.numpy(), alive)
        if self.pairs is None or self.panel is None:
            return of_nothing(order)
        found = tiles(layer.counts, layer.observed, self.pairs, self.tally.counts.device)
        return of_all_pairs(found, layer.entropy, alive, self.panel.counts())


def _begin(blocks: Blocks, request: Request) -> Callable[[States], _Site]:
    """What is to be gathered of a site, decided when its first batch comes by."""
    together, permutations = request.together, None
    if request.permutations:
        permutations = Permutations(request.permutations, derive(together.seed, "permutations"), blocks)

    def begin(states: States) -> _Site:
        site, seed = _Site(Tally(states, blocks)), derive(together.seed, "tuples", states.name)
        if permutations is not None:
            site.permuted = PermutedTally(permutations, states)
        if together.order == 1 or states.neurons < together.order:
            return site
        if together.order == 2 and _all_pairs(together, states, blocks):
            site.pairs = (KeptStates if states.positions == 1 else PairTable)(states, blocks)
            site.panel = Panel(states, blocks, seed)
        else:
            tuples = draw_tuples(states.neurons, together.order, together.tuples, seed)
            site.tuples = TupleTally(tuples, states, blocks)
        return site

    return begin


def _all_pairs(together: Together, states: States, blocks: Blocks) -> bool:
    """Whether all pairs of a site are wanted, or can be counted within `PAIR_WORK` and `PAIR_BYTES`."""
    if together.pairs != "auto":
        return together.pairs == "all"
    examples, classes = int(blocks.sizes.sum()), blocks.sizes.shape[1]
    work = states.neurons**2 // 2 * (examples * states.positions + LOOK_UP * classes)
    table = states.neurons**2 * classes * torch.int32.itemsize
    kept = states.neurons * examples
    return work <= PAIR_WORK and (kept if states.positions == 1 else table) <= PAIR_BYTES


def _affordable_blocks(model: nn.Module, x: Inputs, classes: int, picked: Callable[[Any], Any]) -> int:
    """As many jackknife blocks as the counts of all position neurons leave memory for, one at least."""
    potentials = 0

    def visit(_name: str, potential: Tensor, _channels: int) -> None:
        nonlocal potentials
        potentials += potential.numel()

    Sites(model, visit, picked=picked).run(x[:1])
    per_block = potentials * classes * torch.int16.itemsize
    return max(1, min(BLOCKS, len(x), COUNT_BYTES // per_block))
