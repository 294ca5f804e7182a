"""Whole channels, neurons and heads of a trained network, by a criterion of choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import tyro

from pruning.composition.composition import Composition
from pruning.composition.paced import Paced
from pruning.context.criterion import criteria_help, criterion_named
from pruning.scopes.each_layer import EachLayer
from pruning.scopes.scope import Scope
from pruning.scopes.whole_network import WholeNetwork
from pruning.scorers.per_cost import PerCost
from pruning.scorers.relative import Relative
from pruning.scorers.scorer import UnitScorer
from pruning.spaces.units import Units


@dataclass(frozen=True)
class Filters(Paced):
    """Remove the least important channels, neurons and attention heads of the trained network whole, at once or in
    rounds, then fine-tune it: with a unit go its bias, its normalisation and the weights that read it, and where
    shortcuts add channels to each other, all of them.
    """

    name: ClassVar[str] = "filters"
    phase: ClassVar = "after training"
    summary: ClassVar[str] = "least important channels, neurons and heads whole, at once or in rounds, then fine-tuning"
    paper: ClassVar[str] = "Li et al. 2017; He et al. 2019; Janusz et al. 2025"
    remedy: ClassVar[str] = "more --epochs, or a smaller --wait or fewer --rounds"

    rounds: int = 1
    """with --pace geometric or constant: the number of cuts; the epochs are shared out equally over them"""
    criterion: Annotated[
        str, tyro.conf.arg(help=f"by which units are ranked, the lowest going first. {criteria_help()}")
    ] = "l1"
    scope: Literal["layer", "global"] = "layer"
    """which units compete. layer: every layer loses the same fraction of its units; global: those of the whole network
    """
    normalise: Literal["none", "mean"] = "none"
    """with --scope global, mean: every score is divided by the mean score of its layer"""
    per: Literal["unit", "flops"] = "unit"
    """flops: every score is divided by the multiply-adds that the network saves if the unit goes"""
    least: int = 1
    """units that every layer keeps; 0: whole layers may go"""

    def composition(self) -> Composition:
        scope: Scope = EachLayer() if self.scope == "layer" else WholeNetwork()
        return Composition(scorer=self._scorer(), scope=scope, space=Units(least=self.least), **self.course())

    def _scorer(self) -> UnitScorer:
        scorer: UnitScorer = criterion_named(self.criterion)
        scorer = Relative(scorer) if self.normalise == "mean" else scorer
        return PerCost(scorer) if self.per == "flops" else scorer
