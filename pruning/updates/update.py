"""What is done around each step of the optimiser."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import nn

    from minima.zoo.training.loop import Step


class Update(Protocol):
    """What is done around each step of the optimiser, such as shrinking weights to which the loss is insensitive."""

    def around(self, model: nn.Module) -> Callable[[Step], None]:
        """The function that takes the place of the plain step.

        Args:
            model: the network in training.

        Returns:
            a function of a `Step`, which it calls exactly once. Before and after that it may change weights by the
            mini-batch's gradients, which are in place; what is removed has to stay zero.
        """
