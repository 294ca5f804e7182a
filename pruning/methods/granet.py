"""GraNet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.starts import StartFlag, start_at
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
    """Gradual magnitude pruning with neuroregeneration: after each cut, and on at the sparsity asked for, the smallest
    kept weights of each layer make room for as many removed ones, those with the largest gradients."""

    name: ClassVar[str] = "granet"
    phase: ClassVar = "during training"
    summary: ClassVar[str] = "smallest weights on a cubic schedule; at each cut some come back by their gradients"
    paper: ClassVar[str] = "Liu et al. 2021"

    start: StartFlag = "initialisation"
    initial_sparsity: float = 0.0
    """sparsity that the run starts at: weights are removed at random, small layers keeping more of theirs (Erdos-Renyi
    rule). 0 starts dense; the paper uses 0 and 0.5"""
    frequency: int | None = None
    """steps of the optimiser from one cut to the next (default: a hundredth of the run)"""
    begin: float = 0.0
    """fraction of the run that passes before the first cut"""
    end: float = 0.5
    """fraction of the run at which the sparsity asked for is reached; weights are exchanged until the end"""
    fraction: float = 0.5
    """fraction of each layer's kept weights that is exchanged after the first cut"""
    last_fraction: float = 0.005
    """fraction of each layer's kept weights that is exchanged at the end of the run; in between it falls along a cosine
    """

    def composition(self) -> Composition:
        cuts: Schedule = Cubic(self.frequency, self.begin, self.end)
        scorer: Scorer = Magnitude()
        scope: Scope = WholeNetwork()
        if self.initial_sparsity:
            cuts = SparseStart(self.initial_sparsity, cuts)
            scorer, scope = FirstScorer(Chance(), scorer), FirstScope(ErdosRenyi(), scope)
        return Composition(
            scorer=scorer,
            scope=scope,
            schedule=ThenExchange(cuts, self.frequency, end=1.0),
            regrow=Exchange(SmallestGo(), LargestGradient(), Fraction(self.fraction, self.last_fraction, end=1.0)),
            start=start_at(self.start),
        )
