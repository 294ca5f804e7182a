"""RISE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.starts import TrainedAgain
from pruning.recoveries.rewind import Rewind
from pruning.schedules.one_shot import OneShot
from pruning.scorers.magnitude import Magnitude


@dataclass(frozen=True)
class Rise(Method):
    """Take up the weights of an early epoch again and train only those that are largest at the end of the parent's
    training; the others stay frozen at their early values, not at zero.

    Nothing is removed: the checkpoint is dense and its sparsity 0. --sparsity is the fraction of the weights that does
    not train, which the table and the checkpoint name as frozen.
    """

    name: ClassVar[str] = "rise"
    phase: ClassVar = "after training"
    summary: ClassVar[str] = "only the largest weights train again, the others stay at their early values"
    paper: ClassVar[str] = "Tartaglione 2022"

    rewind: int = 0
    """epoch of the parent's training whose weights are taken up again (0: those before it)"""

    def composition(self) -> Composition:
        recovery = Rewind(self.rewind, holds=True)
        return Composition(scorer=Magnitude(), schedule=OneShot(), recovery=recovery, start=TrainedAgain())
