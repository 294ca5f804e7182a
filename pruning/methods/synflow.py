"""SynFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.starts import FromEpoch
from pruning.schedules.exponential import Exponential
from pruning.scorers.synaptic_flow import SynapticFlow


@dataclass(frozen=True)
class SynFlow(Method):
    """Remove the weights with the least synaptic flow in many rounds before training; no data are needed."""

    name: ClassVar[str] = "synflow"
    phase: ClassVar = "before training"
    summary: ClassVar[str] = "least synaptic flow at initialisation, scored anew in exponential rounds, without data"
    paper: ClassVar[str] = "Tanaka et al. 2020"

    rounds: int = 100
    """cuts, each the same fraction of what is left"""

    def composition(self) -> Composition:
        return Composition(scorer=SynapticFlow(), schedule=Exponential(self.rounds), start=FromEpoch(0))
