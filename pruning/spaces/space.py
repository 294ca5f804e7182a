"""What a space is: the groups of weights that are kept or removed as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import Tensor, nn

    from pruning.scorers.scorer import Scored

    Tensors = dict[str, Tensor]


class Space(Protocol):
    """What can be removed: groups of weights, each kept or removed as one."""

    def on(self, model: nn.Module, x: Any) -> Space:
        """The space of one network that takes inputs x (N, ...): what the engine works with."""

    def counting(self, measure: str) -> Space:
        """The space with targets that are shares of something else than the prunable weights.

        Raises:
            BadInput: it knows no such targets.
        """

    def weights(self, model: nn.Module) -> dict[str, nn.Parameter]:
        """The tensors sparsity is counted over."""

    def masked(self, model: nn.Module) -> dict[str, nn.Parameter]:
        """The tensors that a cut removes entries of: those, and what goes with them without being counted."""

    def pool(self, scores: Tensors, of: Scored, masks: Mapping[str, Tensor]) -> Tensors:
        """Scores of groups from scores of weights, or as they are where a scorer is one of groups."""

    def alive(self, masks: Mapping[str, Tensor]) -> Tensors:
        """Which groups have a weight left."""

    def least(self, alive: Tensors) -> Mapping[str, int]:
        """How many groups of each tensor stay at every cut, whatever their scores; none where it is not named."""

    def spread(self, kept: Tensors, pooled: Tensors, masks: Mapping[str, Tensor]) -> Tensors:
        """Masks of tensors from the choice among the groups of these scores; what `masks` removes stays removed."""

    def left(self, masks: Mapping[str, Tensor]) -> int:
        """How much is left, in what targets are counted in."""

    def check(self, masks: Mapping[str, Tensor], target: int) -> None:
        """BadInput where no cut can leave as little as `target`, asked before any work."""

    def fitting(self, target: int, alive: Tensors, cut: Callable[[int], Tensors]) -> int:
        """The most groups that may be kept so that no more than `target` is left; `cut(n)`: the masks that keep n."""
