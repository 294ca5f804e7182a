"""One pass over the examples, in which every site's states are gathered as they go by."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from torch import Tensor, nn

from entropy.counting.blocks import Blocks, Run
from entropy.counting.states import Neurons, States, states_of
from minima.store.command import BadInput
from minima.zoo.anatomy.sites import Sites
from minima.zoo.examples.outputs import pick


@dataclass(frozen=True)
class Onlookers:
    """Who else is shown what goes by, batch after batch."""

    potentials: Callable[[str, Tensor], None] | None = None
    """a site's name and its potentials z (N, ...)"""
    activations: Callable[[str, Tensor, int, list[Run]], None] | None = None
    """a site's name, its phi(z) (N, ...), the axis of its channels, and the batch's runs"""
    output: Callable[[Tensor, Tensor], None] | None = None
    """what the network returned (N, ...), and which examples it is of (N,)"""
    picked: Callable[[Any], Any] = pick
    """which of several outputs is the network's"""


NOBODY = Onlookers()


class Gatherer(Protocol):
    """What is gathered of the states of one site, batch after batch."""

    def add(self, states: States, runs: list[Run]) -> None:
        """Take in a batch.

        Args:
            states: which neurons of the site are ON for its examples.
            runs: the ranges of its examples that are of one block and class.
        """


G = TypeVar("G", bound=Gatherer)


@dataclass(frozen=True)
class Watched(Generic[G]):
    """What was gathered of every site, in forward order, the output layer's last."""

    sites: dict[str, G]
    output: str
    """the name of the output layer's site"""
    skipped: dict[str, tuple[int, ...]]
    """what an activation was applied to but has no row per example: shapes by name"""


def watch(
    model: nn.Module,
    x: Tensor,
    blocks: Blocks,
    neurons: Neurons,
    batch_size: int,
    begin: Callable[[States], G],
    onlookers: Onlookers = NOBODY,
) -> Watched[G]:
    """Run `model`, in eval mode already, over x (N, ...) once; show each site's states to what `begin` makes for it.

    Examples come class by class (see `Blocks`); nothing that is gathered may depend on the batch size.
    """
    sites: dict[str, G] = {}
    widths: dict[str, int] = {}
    runs: list[Run] = []
    seen: list[str] = []
    before: list[str] | None = None

    def visit(name: str, potential: Tensor, channels: int) -> None:
        seen.append(name)
        if not math.isfinite(potential.sum().item()):  # the sum costs a thirtieth of looking at each
            _require_finite(name, potential)
        if onlookers.potentials is not None:
            onlookers.potentials(name, potential)
        states = states_of(name, potential, channels, neurons)
        width = widths.setdefault(name, states.neurons)
        if states.neurons != width:
            raise BadInput(f"{name} has {width} neurons in one batch and {states.neurons} in another")
        if name not in sites:
            sites[name] = begin(states)
        sites[name].add(states, runs)

    def activated(name: str, activation: Tensor, channels: int) -> None:
        if onlookers.activations is not None:
            onlookers.activations(name, activation, channels, runs)

    watcher, output = Sites(model, visit, activated, onlookers.picked), ""
    for indices, found in blocks.batches(batch_size):
        seen, runs = [], found
        output = watcher.run(x[indices.to(x.device)])
        if onlookers.output is not None:
            onlookers.output(watcher.output, indices)
        if before not in (None, seen):
            raise BadInput(
                f"the network's activations are {before} in one batch and {seen} in another: nothing to count"
            )
        before = seen
    sites[output] = sites.pop(output)
    return Watched(sites, output, watcher.skipped)


def _require_finite(name: str, potential: Tensor) -> None:
    if not potential.isfinite().all():
        raise BadInput(
            f"{name} has potentials that are NaN or infinite: its neurons have no states to speak of.\n"
            "Look at the weights and the inputs for overflow; --mean and --std must be those of the training"
        )
