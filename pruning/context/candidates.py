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
    """The groups of one network, by the names of tensors or of groups of units."""

    @property
    def groups(self) -> Sequence[UnitGroup]:
        """The units that compete; none where single weights do alone."""

    def remarks(self) -> list[str]:
        """What a user should know of what cannot be removed."""

    @property
    def timings(self) -> dict[str, float]:
        """What was measured in seconds' place: it belongs to the run's state, for another run would measure others."""

    def weights(self, model: nn.Module) -> dict[str, nn.Parameter]:
        """The tensors sparsity is counted over."""

    def masked(self, model: nn.Module) -> dict[str, nn.Parameter]:
        """The tensors that a cut removes entries of: those, and what goes with them without being counted."""

    def pool(self, scores: Tensors, of: Scored, masks: Mapping[str, Tensor]) -> Tensors:
        """Scores of what competes from scores of weights, or as they are where a scorer is one of units."""

    def alive(self, masks: Mapping[str, Tensor]) -> Tensors:
        """Which of them have a weight left."""

    def least(self, alive: Tensors, pooled: Tensors) -> Mapping[str, int]:
        """How many by each name stay at every cut, whatever their scores; none of what is not named."""

    def spread(self, kept: Tensors, masks: Mapping[str, Tensor]) -> Tensors:
        """Masks of tensors from the choice among groups; what `masks` removes stays removed."""

    def left(self, masks: Mapping[str, Tensor]) -> int:
        """How much is left, in what targets are counted in."""

    def target(self, total: int, level: float) -> int:
        """How much of a total may be left where the share `level` of it is to go."""

    def shares(self, masks: Mapping[str, Tensor]) -> dict[str, float]:
        """What part is removed, by other measures than the number of prunable weights."""

    def walk(self, masks: Mapping[str, Tensor], final: float) -> list[float]:
        """Levels on the way to a final one if all that competes by one name loses the same part as by the others, name
        after name."""

    def saved(self, masks: Mapping[str, Tensor]) -> dict[str, int]:
        """Multiply-adds that go with one more unit of each group."""

    def check(self, masks: Mapping[str, Tensor], target: int) -> None:
        """BadInput where no cut can leave as little as `target`, asked before any work."""

    def fitting(self, target: int, alive: Tensors, cut: Callable[[int], Tensors]) -> int:
        """The most groups that may be kept so that no more than `target` is left; `cut(n)`: the masks that keep n."""
