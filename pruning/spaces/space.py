"""What a space is: the groups of weights that are kept or removed as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from pruning.context.candidates import Candidates, Heads

if TYPE_CHECKING:
    from torch import nn


class Space(Protocol):
    """What can be removed: groups of weights, each kept or removed as one."""

    def weights(self, model: nn.Module) -> dict[str, nn.Parameter]:
        """The tensors of a network that sparsity is counted over, by parameter name."""

    def counting(self, measure: str, heads: Heads = "groups") -> Space:
        """The same space with targets counted in something else.

        Args:
            measure: of what targets are shares: "sparsity" (the prunable weights), "units", "flops", "parameters",
                "latency".
            heads: what goes as one in attention whose queries share keys.

        Raises:
            BadInput: it knows no such targets, or no units.
        """

    def on(self, model: nn.Module, x: Any) -> Candidates:
        """What competes in one network.

        Args:
            model: the network; it stays as it is.
            x: (N, ...) inputs that it takes, of which a few are used to follow units through it.
        """
