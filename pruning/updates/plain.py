"""The optimiser's step as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from minima.zoo.training.loop import Step


@dataclass(frozen=True)
class Plain:
    """The plain step of the optimiser: nothing is done around it."""

    def around(self, model: nn.Module) -> Callable[[Step], None]:  # noqa: ARG002
        return lambda step: step()
