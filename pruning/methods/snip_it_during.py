"""SNIP-it during training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.composition import Composition
from pruning.context.starts import FromEpoch
from pruning.methods.snip_it import SnipIt
from pruning.schedules.halving import HalvingInTraining
from pruning.scorers.sensitivity import Sensitivity


@dataclass(frozen=True)
class SnipItDuring(SnipIt):
    """SNIP in several cuts during training, every few epochs, each halving what is left of the way to the sparsity.

    The sensitivities |w dL/dw| are those of the cross-entropy, where the published code takes the mean output at the
    label.

    Computed at initialisation from two halves of the 1437 digits, they rank the weights alike at Spearman 0.94 to 0.98
    (python -m benchmarks.rank_stability: small networks, digits).
    """

    name: ClassVar[str] = "snip-it-during"
    phase: ClassVar = "during training"
    summary: ClassVar[str] = "least |w dL/dw| in halving cuts every few epochs of training"

    every: int | None = None
    """epochs from one cut to the next (default: a twentieth of the run, as the 4 of 80 epochs of the published code)"""
    delay: int | None = None
    """epochs before the first of these intervals begins (default: as many as --every)"""

    def composition(self) -> Composition:
        schedule = HalvingInTraining(self.steps, self.every, self.delay)
        return Composition(scorer=Sensitivity(self.probe), schedule=schedule, start=FromEpoch(0))
