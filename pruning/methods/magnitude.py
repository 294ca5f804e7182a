"""One-shot magnitude pruning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pruning.composition import Composition
from pruning.method import Method
from pruning.schedules.one_shot import OneShot
from pruning.scopes.each_layer import EachLayer
from pruning.scopes.whole_network import WholeNetwork
from pruning.scorers.magnitude import Magnitude


@dataclass(frozen=True)
class OneShotMagnitude(Method):
    """Remove the smallest weights of the trained network, all at once, then fine-tune."""

    name: ClassVar[str] = "magnitude"
    phase: ClassVar = "after training"
    summary: ClassVar[str] = "smallest weights at once, then fine-tuning"
    paper: ClassVar[str] = "Han et al. 2015"

    scope: Literal["global", "layer"] = "global"
    """global: the smallest of the whole network; layer: the same fraction of every layer"""

    def composition(self) -> Composition:
        scope = WholeNetwork() if self.scope == "global" else EachLayer()
        return Composition(scorer=Magnitude(), schedule=OneShot(), scope=scope)
