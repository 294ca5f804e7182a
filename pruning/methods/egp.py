"""EGP: entropy-guided pruning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.recoveries.retrain import Rule, retrained
from pruning.schedules.geometric import Geometric
from pruning.scopes.entropy_budget import EntropyBudget
from pruning.scorers.magnitude import Magnitude


@dataclass(frozen=True)
class Egp(Method):
    """Remove the smallest weights in rounds, most of them from the layer whose neurons have the least entropy times
    magnitude of weights, so that whole layers empty; retrain after each round.

    The control at the same budget is `iterative-magnitude --fraction 0.5 --retrain slr`.
    """

    name: ClassVar[str] = "egp"
    phase: ClassVar = "after training"
    summary: ClassVar[str] = "rounds that take most from the layer of least entropy times magnitude"
    paper: ClassVar[str] = "Liao et al. 2023"
    estimator: ClassVar[Literal["egp", "nepenthe"]] = "egp"

    fraction: float = 0.5
    """zeta: of what is left that a round removes, the last one less"""
    least: float = 0.0
    """part that stays of what pruning every layer alike would leave in it (0, as published, empties whole layers, which
    only a network with shortcuts survives)"""
    retrain: Rule = "slr"
    """learning-rate rule after each cut, made from the parent's: ft, lrw, slr, clr, llr or allr"""

    def composition(self) -> Composition:
        schedule, scope = Geometric(fraction=self.fraction), EntropyBudget(self.estimator, self.least)
        return Composition(scorer=Magnitude(), schedule=schedule, scope=scope, **retrained(self.retrain))
