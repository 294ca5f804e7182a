"""PSP-entropy where each position of an example is an example: pixels and tokens with classes of their own."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from entropy.counting.blocks import deal
from entropy.counting.positions import PositionLabels, PositionTally
from entropy.counting.watching import Onlookers, watch
from entropy.information.layer import LayerEntropy
from entropy.information.request import FIRST_ORDER, Request
from entropy.information.room import affordable_batch, affordable_blocks, sites_of
from minima.store.command import BadInput
from minima.store.memory import require_room
from minima.zoo.examples.evaluation import evaluating

LESS = "fewer --samples"


def measure_positions(
    model: nn.Module,
    x: Tensor,
    labels: Tensor,
    counted: Tensor,
    *,
    batch_size: int = 256,
    available: int | None = None,
    request: Request = FIRST_ORDER,
) -> tuple[list[LayerEntropy], dict[str, tuple[int, ...]], dict[str, int]]:
    """First-order PSP-entropy of every channel of the sites that have the labels' positions, in forward order.

    Args:
        labels: (N, ...) the class of each position, in the order of the feature maps' rows and columns, or tokens.
        counted: (N, ...) which positions count.

    The jackknife's blocks are dealt by example, so that the errors know that positions of one example are not
    independent.

    Returns:
        the layers; inputs of activations without a row per example (shapes by name); how many positions the sites
        have that were left out.

    Raises:
        BadInput: it would take more memory than `request` allows; or no site has the positions of the labels.
    """
    own = PositionLabels.of(labels, counted)
    if not own.classes:
        raise BadInput("--positions as-examples: no position counts, all are ignored by the loss")
    with evaluating(model):
        sites = [site for site in sites_of(model, x, "channel", request.picked) if site.positions == own.positions]
        blocks = deal(torch.zeros(len(x), dtype=torch.int64), 1, affordable_blocks(sites or [], len(x), 1))
        batch_size = affordable_batch(sites, x, batch_size, request.memory) if sites else batch_size
        cells = len(blocks.sizes) * (len(own.classes) + 1)
        needed = (
            request.results(sites, len(own.classes))
            + 4 * cells * sum(site.neurons for site in sites)
            + 8 * own.places.numel()
        )
        require_room(needed, request.memory, f"counting at {own.positions:,} positions of each example", LESS)
        onlookers = Onlookers(output=request.output, picked=request.picked)
        found = watch(
            model, x, blocks, "channel", batch_size, lambda states: PositionTally(states, blocks, own), onlookers
        )
    elsewhere = {name: site.positions for name, site in found.sites.items() if not site.fits}
    if len(elsewhere) == len(found.sites):
        raise BadInput(_misfit(own.positions, elsewhere))
    observed = own.observed(blocks)
    kept = {name: site for name, site in found.sites.items() if site.fits}
    layers = [
        LayerEntropy(
            name=name,
            labels=own.classes,
            shape=site.shape,
            output=name == found.output,
            block_counts=site.numpy(),
            block_observed=observed,
            used=len(x),
            available=available or len(x),
            clamp=request.clamp,
        )
        for name, site in kept.items()
    ]
    return layers, found.skipped, elsewhere


def _misfit(positions: int, elsewhere: dict[str, int]) -> str:
    """What to say where no layer has the positions of the labels."""
    return (
        f"--positions as-examples: the labels have {positions:,} positions for each example, and no layer has as many: "
        f"{', '.join(f'{name} {count:,}' for name, count in elsewhere.items())}"
    )
