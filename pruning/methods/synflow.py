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
    """Before training, remove the weights with the least synaptic flow in many cuts: w dR/dw, R being the sum of the
    outputs for an input of ones with every parameter replaced by its absolute value. No data are needed, and nothing is
    drawn.

    The running mean of batch normalisation counts as 0, where the published code takes its absolute value; the two
    differ only after training. The computation is in float64, so that deep networks do not overflow.
    """

    name: ClassVar[str] = "synflow"
    phase: ClassVar = "before training"
    summary: ClassVar[str] = "least synaptic flow at initialisation, scored anew in exponential rounds, without data"
    paper: ClassVar[str] = "Tanaka et al. 2020"

    rounds: int = 100
    """number of cuts, each of the same fraction of what is left"""

    def composition(self) -> Composition:
        return Composition(scorer=SynapticFlow(), schedule=Exponential(self.rounds), start=FromEpoch(0))
