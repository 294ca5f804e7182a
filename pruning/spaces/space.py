"""What a space is: the groups of weights that are kept or removed as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor, nn

    Tensors = dict[str, Tensor]


class Space(Protocol):
    """What can be removed: groups of weights, each kept or removed as one."""

    def weights(self, model: nn.Module) -> dict[str, nn.Parameter]:
        """The tensors sparsity is counted over."""

    def pool(self, scores: Tensors) -> Tensors:
        """Scores of groups from scores of weights."""

    def alive(self, masks: Tensors) -> Tensors:
        """Which groups have a weight left."""

    def spread(self, kept: Tensors) -> Tensors:
        """Masks of weights from the choice among groups."""
