"""One-shot magnitude pruning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from minima.store.command import BadInput
from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.recoveries.retrain import OptionalRuleFlag, retrained
from pruning.schedules.one_shot import OneShot
from pruning.scopes.each_layer import EachLayer
from pruning.scopes.erdos_renyi import ErdosRenyi
from pruning.scopes.given import Given
from pruning.scopes.scope import Scope
from pruning.scopes.whole_network import WholeNetwork
from pruning.scorers.lamp import Lamp
from pruning.scorers.magnitude import Magnitude


@dataclass(frozen=True)
class OneShotMagnitude(Method):
    """Remove the weights of smallest magnitude |w| from the trained network, all at once, then fine-tune it."""

    name: ClassVar[str] = "magnitude"
    phase: ClassVar = "after training"
    summary: ClassVar[str] = "smallest weights at once, then fine-tuning"
    paper: ClassVar[str] = "Han et al. 2015; ERK: Evci et al. 2020; LAMP: Lee et al. 2021"

    scope: Literal["global", "layer", "erk", "lamp", "given"] = "global"
    """which weights compete. global: those of the whole network; layer: every layer loses the same fraction; erk: a
    layer keeps a fraction in proportion to the sum of its dimensions over their product, so that small layers keep
    more; lamp: those of the whole network, each by w^2 over the sum of the w^2 of its layer that are not smaller;
    given: the layers named by --layer lose what is said there, the others compete for the rest"""
    layer: tuple[str, ...] = ()
    """with --scope given: layers and the fractions that they lose, for example conv1=0.5 fc1=0.9"""
    retrain: OptionalRuleFlag = None

    def composition(self) -> Composition:
        if (self.scope == "given") != bool(self.layer):
            raise BadInput("--layer LAYER=SPARSITY ... and --scope given belong together: give both or neither")
        scopes: dict[str, Scope] = {"layer": EachLayer(), "erk": ErdosRenyi(), "given": Given(self.layer)}
        scorer = Lamp() if self.scope == "lamp" else Magnitude()
        scope = scopes.get(self.scope, WholeNetwork())
        return Composition(scorer=scorer, schedule=OneShot(), scope=scope, **retrained(self.retrain))
