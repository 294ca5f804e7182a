"""What a space is: the groups of weights that are kept or removed as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pruning.context.candidates import Candidates, Heads

if TYPE_CHECKING:
    from torch import nn


class Space(Protocol):
    """What can be removed: groups of weights, each kept or removed as one."""

    def weights(self, model: nn.Module) -> dict[str, nn.Parameter]:
        """The tensors sparsity is counted over."""

    def counting(self, measure: str, heads: Heads = "groups") -> Space:
        """The space with targets that are shares of something else than the prunable weights, and with these units of
        grouped queries.

        Raises:
            BadInput: it knows no such targets, or no units.
        """

    def on(self, model: nn.Module, x: Any) -> Candidates:
        """What competes in one network that takes inputs x (N, ...)."""
