"""Training simply goes on after a cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruning.recoveries.recovery import Recovery

if TYPE_CHECKING:
    from minima.zoo.training.loop import Trainer
    from pruning.recoveries.cut import Cut


@dataclass(frozen=True)
class GoOn(Recovery):
    """Weights, momentum and rate are kept; those of removed weights are zero."""

    def recover(self, trainer: Trainer, cut: Cut) -> None:
        pass
