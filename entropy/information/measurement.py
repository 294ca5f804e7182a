"""PSP-entropy of a network over a set of examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn

from entropy.counting.blocks import Blocks, Run, deal, occurring
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
from entropy.information.request import FIRST_ORDER, Request
from entropy.information.room import (
    affordable_batch,
    affordable_blocks,
    all_pairs,
    needed_bytes,
    sites_of,
)
from entropy.information.site import Site
from minima.store.memory import require_room
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.seeds import derive

LESS = "fewer --samples, or --neurons channel"
"""to type where counting takes too much"""


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
    that x is the first part of. Also returned: the inputs of
    activations that have no row per example (shapes by name), which are no neurons.

    Raises:
        BadInput: it would take more memory than `request` allows; or the network has no states to count.
    """
    labels, places = occurring(y, classes)
    with evaluating(model):
        sites = sites_of(model, x, neurons, request.picked)
        blocks = deal(places, len(labels), affordable_blocks(sites, len(x), len(labels)))
        batch_size = affordable_batch(sites, x, batch_size, request.memory)
        needed = needed_bytes(sites, x, batch_size, blocks, request)
        require_room(needed, request.memory, _task(sites, labels, request), LESS)
        responses = Responses(blocks, neurons) if request.selectivity else None
        ties = Ties() if request.ties else None
        onlookers = Onlookers(
            ties.add if ties else None, responses.add if responses else None, request.output, request.picked
        )
        found = watch(model, x, blocks, neurons, batch_size, _begin(blocks, request), onlookers)
    means = responses.means() if responses else {}

    def layer_of(name: str, site: _Site) -> LayerEntropy:
        layer = LayerEntropy(
            name=name,
            labels=labels,
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
        return layer if order == 1 else replace(layer, joint=site.joint(order, layer))

    return [layer_of(name, site) for name, site in found.sites.items()], found.skipped


def _task(sites: Sequence[Site], labels: Sequence[int], request: Request) -> str:
    """What is done, in words."""
    neurons, order = sum(site.neurons for site in sites), request.together.order
    of = "" if order == 1 else f", by {order} together,"
    return f"counting the states of {neurons:,} neurons{of} in {len(labels)} classes"


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
        if together.order == 2 and all_pairs(together, states.neurons, states.positions, blocks):
            site.pairs = (KeptStates if states.positions == 1 else PairTable)(states, blocks)
            site.panel = Panel(states, blocks, seed)
        else:
            tuples = draw_tuples(states.neurons, together.order, together.tuples, seed)
            site.tuples = TupleTally(tuples, states, blocks)
        return site

    return begin
