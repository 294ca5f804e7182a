"""How much memory derivatives take, told before the first is computed, and of how many examples at once they fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from landscape.objective.derivatives.problem import COUNT
from landscape.passes.attention import plain_attention
from minima.store.memory import GIB, foreseen_within, require_room
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.needs import Needs, saved_bytes

if TYPE_CHECKING:
    from torch import Tensor, nn

    from landscape.objective.coordinates import Coordinates
    from landscape.objective.graphs import Chunk, Keeper
    from minima.zoo.ranks import Ranks


class Differentiated(Protocol):
    """What is asked of a loss over examples whose derivatives are wanted: see `Objective`."""

    model: nn.Module
    x: Any
    batch_size: int
    keeper: Keeper
    coordinates: Coordinates
    ranks: Ranks

    def chunks(self, displacement: Tensor | None = None, start: int = 0, stop: int | None = None) -> Iterator[Chunk]:
        """Some examples after the other, each chunk as a function of the parameters."""


class Room:
    """The memory of an objective and all that are made of it: measured once, before the first derivative."""

    def __init__(self) -> None:
        self._needs: Needs | None = None
        self._measured = False
        self._told = 0.0

    def at_once(self, loss: Differentiated, most: int | None = None) -> int:
        """`most` examples (a batch), or as many as there is room for beside the vectors that are kept."""
        keeper, batch_size = loss.keeper, most or min(loss.batch_size, max(1, len(loss.x)))
        if self._needs is None or not keeper.whole:
            return batch_size
        return min(batch_size, self._needs.fitting(foreseen_within(keeper.whole) - keeper.vectors))

    def few(self, loss: Differentiated) -> int:
        """Examples on which derivatives are checked, as far as there is room."""
        return self.at_once(loss, COUNT)

    def before_the_first(self, objective: Differentiated, *, keeping: bool = False) -> None:
        """Measure what is needed, say it, and leave room for it beside the graphs that are kept, if they are.

        Raises:
            BadInput: there is not enough for a single example, with the amount to type.
        """
        keeper = objective.keeper
        if not keeper.whole:  # nothing is to be kept, and whatever the work takes is right
            return
        if not self._measured:
            self._needs, self._measured = needs_of(objective), True
        if self._needs is None:
            return
        work = self._needs.of(self.at_once(objective))
        keeper.make_room(int(work))
        graphs = min(keeper.memory, self._needs.kept(objective.ranks.own(len(objective.x)))) if keeping else 0.0
        if work + keeper.vectors + graphs > self._told:
            self._told = work + keeper.vectors + graphs
            kept = f" and {keeper.count} vectors that are kept" if keeper.vectors else ""
            what = f"computing derivatives{kept}"
            require_room(work + keeper.vectors, keeper.whole / GIB, what, "move fewer --parameters", graphs)


def needs_of(objective: Differentiated) -> Needs | None:
    """Of the graphs of the first examples; None where they do not run, of which the derivative check tells."""
    import torch

    from landscape.objective.pearlmutter import gradient_graph

    def saved(count: int) -> int:
        return saved_bytes(lambda: [gradient_graph(chunk) for chunk in objective.chunks(None, 0, count)])

    try:
        with evaluating(objective.model), plain_attention(), torch.enable_grad():
            return Needs.measured(len(objective.coordinates.full), saved, objective.ranks.own(len(objective.x)))
    except Exception:  # whatever a network does
        return None
