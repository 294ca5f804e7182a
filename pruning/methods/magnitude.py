"""One-shot magnitude pruning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from minima.store.command import BadInput
from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.recoveries.retrain import Rule, retrained
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
    """Remove the smallest weights of the trained network, all at once, then fine-tune."""

    name: ClassVar[str] = "magnitude"
    phase: ClassVar = "after training"
    summary: ClassVar[str] = "smallest weights at once, then fine-tuning"
    paper: ClassVar[str] = "Han et al. 2015; ERK: Evci et al. 2020; LAMP: Lee et al. 2021"

    scope: Literal["global", "layer", "erk", "lamp", "given"] = "global"
    """global: the smallest of the whole network; layer: the same fraction of every layer; erk: densities in proportion
    to the sum of a layer's dimensions over their product; lamp: globally, each weight relative to the larger ones of
    its layer; given: layers by --layer"""
    layer: tuple[str, ...] = ()
    """given: LAYER=SPARSITY ..., for example conv1=0.5 fc1=0.9; the other layers compete for the rest"""
    retrain: Rule | None = None
    """learning-rate rule made from the parent's: ft, lrw, slr, clr, llr or allr (default: fine-tune at a constant rate)
    """

    def composition(self) -> Composition:
        if (self.scope == "given") != bool(self.layer):
            raise BadInput("--layer LAYER=SPARSITY ... and --scope given belong together: give both or neither")
        scopes: dict[str, Scope] = {"layer": EachLayer(), "erk": ErdosRenyi(), "given": Given(self.layer)}
        scorer = Lamp() if self.scope == "lamp" else Magnitude()
        scope = scopes.get(self.scope, WholeNetwork())
        return Composition(scorer=scorer, schedule=OneShot(), scope=scope, **retrained(self.retrain))
