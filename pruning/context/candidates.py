"""What competes in a network: single weights, or units with all that holds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from torch import Tensor, nn

    from minima.zoo.anatomy.unit_groups import UnitGroup

    Tensors = dict[str, Tensor]

Heads = Literal["groups", "queries", "both"]
"""of attention with grouped queries: whole groups, a key with all its queries; a query of each group; or either"""
Scored = Literal["weights", "units", "both"]
"""what a scorer gives scores of: weights by the name of their tensor, units by the name of their group, or both"""


class Candidates(Protocol):
    """What can be removed of one network: single weights by the names of their tensors, units by those of their groups.

    Everywhere `masks` are bool by parameter name, True = kept, and `alive` and `kept` bool by the name of a tensor (of
    its shape) or of a group (size,): of what competes.
    """

    @property
    def groups(self) -> Sequence[UnitGroup]:
        """The units that compete; none where single weights do alone."""

    def remarks(self) -> list[str]:
        """What a user should know of what cannot be removed."""

    @property
    def timings(self) -> dict[str, float]:
        """What was measured in seconds' place: it belongs to the run's state, for another run would measure others."""

    def weights(self, model: nn.Module) -> dict[str, nn.Parameter]:
        """The tensors sparsity is counted over, by parameter name."""

    def masked(self, model: nn.Module) -> dict[str, nn.Parameter]:
        """The tensors that a cut removes entries of: those, and what goes with them without being counted."""

    def pool(self, scores: Tensors, of: Scored, masks: Mapping[str, Tensor]) -> Tensors:
        """Scores of what competes.

        Args:
            scores: what a scorer returned.
            of: of what it gives scores; those of units are taken as they are.
            masks: what is left before the cut.
        """

    def alive(self, masks: Mapping[str, Tensor]) -> Tensors:
        """Which weights, or units, are left under these masks; a unit is as long as any of its entries is."""

    def least(self, alive: Tensors, pooled: Tensors) -> Mapping[str, int]:
        """How many stay at every cut, whatever their scores, by name; none of what is not named."""

    def spread(self, kept: Tensors, masks: Mapping[str, Tensor]) -> Tensors:
        """Masks of all tensors that a choice leads to; what `masks` removes stays removed."""

    def left(self, masks: Mapping[str, Tensor]) -> int:
        """How much these masks leave, in what targets are counted in: weights, units, multiply-adds, ..."""

    def target(self, total: int, level: float) -> int:
        """How much of a total may be left where the share `level` of it is to go, in what targets are counted in."""

    def shares(self, masks: Mapping[str, Tensor]) -> dict[str, float]:
        """What share these masks remove by other measures than the number of prunable weights, by their names."""

    def walk(self, masks: Mapping[str, Tensor], final: float) -> list[float]:
        """The levels of cuts that go through the network name after name, each taking the same share of what it has.

        Args:
            masks: what is left before the first.
            final: the level after the last.
        """

    def saved(self, masks: Mapping[str, Tensor]) -> dict[str, int]:
        """Multiply-adds that go with one more unit of each group, by its name."""

    def check(self, masks: Mapping[str, Tensor], target: int) -> None:
        """See, before any work, that a cut can leave as little as `target`.

        Raises:
            BadInput: none can.
        """

    def fitting(self, target: int, alive: Tensors, cut: Callable[[int], Tensors]) -> int:
        """The most that may be kept of what is `alive` so that no more than `target` is left; cut(n): masks keeping n.

        Units are of different sizes: how many may stay is found by trying cuts.
        """
