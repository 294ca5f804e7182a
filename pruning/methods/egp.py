"""EGP: entropy-guided pruning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.recoveries.retrain import RuleFlag, retrained
from pruning.schedules.geometric import Geometric
from pruning.scopes.entropy_budget import EntropyBudget
from pruning.scorers.magnitude import Magnitude


@dataclass(frozen=True)
class Egp(Method):
    """Entropy-guided pruning: remove the smallest weights in rounds and retrain after each. A layer loses the more, the
    less the entropy of its neurons' states (on or off) times the mean magnitude of its weights is, so that whole layers
    empty, which only a network with shortcuts survives: see --keep-path and --least.

    Entropies are those over the whole training part, where the published code averages over batches of 128, which makes
    them depend on the batches.

    Nothing is drawn; two halves of the training part rank the layers alike at Spearman 0.998 to 1 (python -m
    benchmarks.rank_stability: small networks, digits).

    The control with the same epochs is iterative-magnitude --fraction 0.5 --retrain slr.
    """

    name: ClassVar[str] = "egp"
    phase: ClassVar = "after training"
    summary: ClassVar[str] = "rounds that take most from the layer of least entropy times magnitude"
    paper: ClassVar[str] = "Liao et al. 2023"
    estimator: ClassVar[Literal["egp", "nepenthe"]] = "egp"

    fraction: float = 0.5
    """fraction of what is left that a round removes (zeta); the last round removes less"""
    least: float = 0.0
    """fraction that stays in any case of what a layer would keep if every layer lost alike (0, as published, lets whole
    layers empty)"""
    retrain: RuleFlag = "slr"

    def composition(self) -> Composition:
        schedule, scope = Geometric(fraction=self.fraction), EntropyBudget(self.estimator, self.least)
        return Composition(scorer=Magnitude(), schedule=schedule, scope=scope, **retrained(self.retrain))
