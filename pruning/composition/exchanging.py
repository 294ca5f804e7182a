"""What the methods share that train at one sparsity and move the weights about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import tyro

from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.drop import drop_named, drops
from pruning.context.starts import StartFlag, start_at
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

    start: StartFlag = "initialisation"
    drop: Annotated[
        str,
        tyro.conf.arg(
            help=f"the score by which weights go, the lowest first: {', '.join(drops())}. Of the kept weight w and the "
            "gradient g of the loss of a batch: magnitude |w|; snip |w g|; taylor (w g)^2; mest |w| + |g|; gradstep "
            "|w - g|; sensitivity |g| / |w|; reciprocal-sensitivity |w| / |g|; grasp w (H g), the Hessian H and g of "
            "logits divided by 200, g of removed weights as well, as the authors' code has it; grasp-kept w (H g) "
            "without that division and with g of the kept weights alone, whose |g|^2 changes by -2 w (H g); set takes "
            "as many positive as negative weights, those nearest to 0; running-magnitude and running-snip average over "
            "earlier exchanges; random draws"
        ),
    ] = "magnitude"
    frequency: int | None = None
    """steps of the optimiser from one exchange to the next (default: a hundredth of the run, at least 10)"""
    fraction: float = 0.3
    """fraction of each layer's kept weights that the first exchange moves"""
    last_fraction: float = 0.0
    """fraction of each layer's kept weights that the last exchange moves; in between the fraction falls along a cosine
    """
    end: float = 0.75
    """fraction of the run after which nothing is exchanged any more"""

    def composition(self) -> Composition:
        return Composition(
            scorer=Chance(),
            schedule=ThenExchange(OneShot(), self.frequency, self.end),
            scope=ErdosRenyi(),
            regrow=Exchange(drop_named(self.drop), self.growth, Fraction(self.fraction, self.last_fraction, self.end)),
            start=start_at(self.start),
        )
