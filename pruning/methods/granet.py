"""GraNet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.starts import StartName, start_at
from pruning.drops.magnitude import Magnitude as SmallestGo
from pruning.regrow.exchange import Exchange
from pruning.regrow.fraction import Fraction
from pruning.regrow.growth import LargestGradient
from pruning.schedules.cubic import Cubic
from pruning.schedules.schedule import Schedule
from pruning.schedules.sparse_start import SparseStart
from pruning.schedules.then_exchange import ThenExchange
from pruning.scopes.erdos_renyi import ErdosRenyi
from pruning.scopes.first_then import FirstThen as FirstScope
from pruning.scopes.scope import Scope
from pruning.scopes.whole_network import WholeNetwork
from pruning.scorers.chance import Chance
from pruning.scorers.first_then import FirstThen as FirstScorer
from pruning.scorers.magnitude import Magnitude
from pruning.scorers.scorer import Scorer


@dataclass(frozen=True)
class GraNet(Method):
    """Gradual magnitude pruning; at each cut, and on at the final sparsity, the smallest weights of each layer also
    make room for removed ones with the largest gradients (zero-cost neuroregeneration)."""

    name: ClassVar[str] = "granet"
    phase: ClassVar = "during training"
    summary: ClassVar[str] = "smallest weights on a cubic schedule; at each cut some come back by their gradients"
    paper: ClassVar[str] = "Liu et al. 2021"

    start: StartName = "initialisation"
    """initialisation: the parent's weights of epoch 0, by its recipe; parent: its trained weights, at the final rate"""
    initial: float = 0.0
    """sparsity to start at, of a random network with layer densities by the Erdos-Renyi rule (the paper: 0 and 0.5)"""
    frequency: int | None = None
    """steps between cuts (default: a hundredth of the run)"""
    begin: float = 0.0
    """fraction of the run before the schedule starts"""
    end: float = 0.5
    """fraction of the run at which the target is reached; regeneration goes on"""
    fraction: float = 0.5
    """of each layer's kept weights that are exchanged at the beginning"""
    last_fraction: float = 0.005
    """the same at the end of the run; in between along a cosine"""

    def composition(self) -> Composition:
        cuts: Schedule = Cubic(self.frequency, self.begin, self.end)
        scorer: Scorer = Magnitude()
        scope: Scope = WholeNetwork()
        if self.initial:
            cuts = SparseStart(self.initial, cuts)
            scorer, scope = FirstScorer(Chance(), scorer), FirstScope(ErdosRenyi(), scope)
        return Composition(
            scorer=scorer,
            scope=scope,
            schedule=ThenExchange(cuts, self.frequency, end=1.0),
            regrow=Exchange(SmallestGo(), LargestGradient(), Fraction(self.fraction, self.last_fraction, end=1.0)),
            start=start_at(self.start),
        )
