"""Training simply goes on after a cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from pruning.recoveries.cut import Cut
    from store.checkpoint import Checkpoint
    from zoo.training import Trainer


@dataclass(frozen=True)
class GoOn:
    """Weights, momentum and rate are kept; those of removed weights are zero."""

    sets_rate: ClassVar[bool] = False

    def check(self, parent: Checkpoint) -> None:
        pass

    def recover(self, trainer: Trainer, cut: Cut) -> None:
        pass
