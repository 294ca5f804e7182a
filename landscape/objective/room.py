"""How much memory derivatives take, told before the first is computed, and of how many examples at once they fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from landscape.objective.derivatives.problem import COUNT
from landscape.objective.pearlmutter import gradient_graph
from landscape.passes.attention import plain_attention
from minima.store.memory import GIB, OVERHEAD, SLACK, foreseen_within, require_room
from minima.store.messages import note
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.needs import OF_A_WEIGHT, Needs, saved_bytes

if TYPE_CHECKING:
    from torch import Tensor, nn

    from landscape.objective.coordinates import Coordinates
    from landscape.objective.graphs import Chunk, Keeper
    from minima.zoo.ranks import Ranks


OF_A_PRODUCT = 20
"""bytes of a weight while there is a product: the weights and the sum in float64, what may move, and some on the way;
beside three numbers of the network's own type (gradient, direction and product), and what its graph saves"""
OF_AN_INDEX = 12
"""bytes of a weight that may move where others may not: its place, and the direction over all of them"""
COMFORT = 6
"""vectors beside the least from which on more examples at once are worth more"""


@dataclass(frozen=True)
class Vectors:
    """What a search for eigenvalues holds from one product to the next."""

    count: int = 0
    """vectors in float64"""
    least: int | None = None
    """vectors in float32 that do as well, where there is no room for those; None: they do not"""
    beside: int = 0
    """bytes for each weight that are held as well"""
    after: int = 0
    """bytes for each weight that what is found takes in the end"""


class Differentiated(Protocol):
    """What is asked of a loss over examples whose derivatives are wanted: see `Objective`."""

    model: nn.Module
    x: Any
    batch_size: int
    keeper: Keeper
    coordinates: Coordinates
    ranks: Ranks

    def chunks(self, displacement: Tensor | None = None, start: int = 0, stop: int | None = None) -> Iterator[Chunk]:
        """The `start`-th to `stop`-th of this process' examples, chunk by chunk, as functions of the parameters at
        w + displacement."""


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
        keeper, needs = objective.keeper, self._measure(objective)
        if needs is None:
            return
        work = needs.of(self.at_once(objective))
        keeper.make_room(int(work))
        graphs = min(keeper.memory, needs.kept(objective.ranks.own(len(objective.x)))) if keeping else 0.0
        if work + keeper.vectors + graphs > self._told:
            self._told = work + keeper.vectors + graphs
            kept = f" and {keeper.count} vectors that are kept" if keeper.count else ""
            what = f"computing derivatives{kept}"
            require_room(work + keeper.vectors, keeper.whole / GIB, what, "move fewer --parameters", graphs)

    def reserve(self, objective: Differentiated, vectors: Vectors) -> None:
        """Room for vectors beside derivatives: in float64, or fewer in float32, which is said.

        Derivatives are checked before there is a vector, so that the two do not add up.

        Raises:
            BadInput: there is not enough for the least, with the amount to type.
        """
        keeper, size = objective.keeper, objective.coordinates.dimension
        if keeper.rows is not None:
            return
        room = foreseen_within(keeper.whole)
        if (
            vectors.least is None
            or (needs := self._measure(objective)) is None
            or needs.of(1) + 8 * vectors.count * size <= room
        ):
            keeper.reserve(vectors.count, size)
            return
        work = needs.fixed + _of_a_product(objective, vectors.beside)
        least = max(needs.fixed, work + 4 * vectors.least * size) + needs.each
        after = (OF_A_PRODUCT + vectors.after) * size
        if least > room:
            what = f"computing derivatives and {vectors.least} vectors in float32"
            require_room(least, keeper.whole / GIB, what, "move fewer --parameters")
        if after > room:
            what = "writing a results file with eigenvectors"
            require_room(after, keeper.whole / GIB, what, "leave them out: --eigenvectors drop")
        batch = needs.each * min(objective.batch_size, max(1, objective.ranks.own(len(objective.x))))
        most, ample = ((room - work - examples) // (4 * size) for examples in (needs.each, batch))
        keeper.rows = objective.ranks.tell(int(min(vectors.count, most, max(ample, vectors.least + COMFORT))))
        keeper.count, keeper.vectors = keeper.rows, max(0, int(work + 4 * keeper.rows * size - needs.fixed))
        keeper.memory = 0
        usual = (SLACK * (needs.of(1) + 8 * vectors.count * size) + OVERHEAD) / GIB
        note(
            f"--memory {keeper.whole / GIB:.4g} holds no {vectors.count} vectors in float64 (--memory {usual:.3g}): "
            f"the basis is {keeper.rows} in float32, with restarts"
        )

    def _measure(self, objective: Differentiated) -> Needs | None:
        """What derivatives need; None where that is not asked (nothing is to be kept: what it takes is right), or not
        known."""
        if not self._measured and objective.keeper.whole:
            self._needs, self._measured = needs_of(objective), True
        return self._needs if objective.keeper.whole else None


def _of_a_product(objective: Differentiated, beside: int) -> float:
    """Bytes by which a product takes more than the check of derivatives, both without what a graph saves."""
    own = objective.coordinates
    numbers = max(each.itemsize for each in own.dtypes.values())
    held = (OF_A_PRODUCT + 3 * numbers - OF_A_WEIGHT) * len(own.full)
    return held + (beside + OF_AN_INDEX * (own.index is not None)) * own.dimension


def needs_of(objective: Differentiated) -> Needs | None:
    """The memory that derivatives take, measured on graphs of the first examples; None where these do not run, of which
    the check of derivatives tells.
    """
    import torch

    def saved(count: int) -> int:
        return saved_bytes(lambda: [gradient_graph(chunk) for chunk in objective.chunks(None, 0, count)])

    try:
        with evaluating(objective.model), plain_attention(), torch.enable_grad():
            return Needs.measured(len(objective.coordinates.full), saved, objective.ranks.own(len(objective.x)))
    except Exception:  # whatever a network does
        return None
