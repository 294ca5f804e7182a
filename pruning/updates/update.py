"""What is done around each step of the optimiser."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import nn

    from minima.zoo.training.loop import Step


class Update(Protocol):
    """What is done around each step of the optimiser."""

    def around(self, model: nn.Module) -> Callable[[Step], None]: ...
