"""What the methods share that train at one sparsity and move the weights about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import tyro

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.drop import drop_named, drops
from pruning.context.starts import StartName, start_at
from pruning.regrow.exchange import Exchange
from pruning.regrow.fraction import Fraction
from pruning.regrow.growth import Growth
from pruning.schedules.one_shot import OneShot
from pruning.schedules.then_exchange import ThenExchange
from pruning.scopes.erdos_renyi import ErdosRenyi
from pruning.scorers.chance import Chance


@dataclass(frozen=True)
class Exchanging(Method):
    """A random sparse network (layer densities by the Erdos-Renyi rule) whose weights move while it trains."""

    phase: ClassVar = "during training"
    growth: ClassVar[Growth]

    start: StartName = "initialisation"
    """initialisation: the parent's weights of epoch 0, by its recipe; parent: its trained weights, at the final rate"""
    drop: Annotated[str, tyro.conf.arg(help=f"what goes: {', '.join(drops())}")] = "magnitude"
    frequency: int | None = None
    """steps between exchanges (default: a hundredth of the run, at least 10)"""
    fraction: float = 0.3
    """of each layer's kept weights that the first exchange moves"""
    last_fraction: float = 0.0
    """the same of the last exchange; in between along a cosine"""
    end: float = 0.75
    """fraction of the run after which nothing is exchanged"""

    def composition(self) -> Composition:
        return Composition(
            scorer=Chance(),
            schedule=ThenExchange(OneShot(), self.frequency, self.end),
            scope=ErdosRenyi(),
            regrow=Exchange(drop_named(self.drop), self.growth, Fraction(self.fraction, self.last_fraction, self.end)),
            start=start_at(self.start),
        )
