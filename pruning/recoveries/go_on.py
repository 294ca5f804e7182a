"""Training simply goes on after a cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruning.recoveries.recovery import Recovery

if TYPE_CHECKING:
    from pruning.recoveries.cut import Cut
    from zoo.training import Trainer


@dataclass(frozen=True)
class GoOn(Recovery):
    """Weights, momentum and rate are kept; those of removed weights are zero."""

    def recover(self, trainer: Trainer, cut: Cut) -> None:
        pass
