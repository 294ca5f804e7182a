"""Iterative magnitude pruning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from minima.store.command import BadInput
from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.starts import TrainedAgain
from pruning.recoveries.fresh_optimiser import FreshOptimiser
from pruning.recoveries.retrain import Rule, retrained
from pruning.recoveries.rewind import Rewind
from pruning.schedules.constant import Constant
from pruning.schedules.geometric import Geometric
from pruning.schedules.hybrid import Hybrid
from pruning.schedules.rounds import Rounds
from pruning.scorers.magnitude import Magnitude
from pruning.triggers.always import Always
from pruning.triggers.patience import Patience


@dataclass(frozen=True)
class IterativeMagnitude(Method):
    """Remove the smallest weights in rounds, with training after each round.

    Rounds to sparsities of one's own: --rounds 1 --sparsity 0.5 0.7 0.8.
    """

    name: ClassVar[str] = "iterative-magnitude"
    phase: ClassVar = "after training"
    summary: ClassVar[str] = "smallest weights in rounds, fine-tuned, retrained or rewound after each"
    paper: ClassVar[str] = "Han et al. 2015; Frankle & Carbin 2019; Zimmer et al. 2023; Janusz et al. 2025"
    remedy: ClassVar[str] = "more --epochs, or a smaller --wait or fewer --rounds"

    pace: Literal["geometric", "constant", "hybrid"] = "geometric"
    """what a round removes. geometric: the same fraction of what is left; constant: the same number; hybrid: first
    --first at once, then ever less from --step on"""
    rounds: int = 10
    """geometric and constant: cuts; the epochs are shared out equally over them"""
    fraction: float | None = None
    """geometric: of what is left that a round removes, in place of --rounds"""
    first: float | None = None
    """hybrid: sparsity after the first cut"""
    step: float | None = None
    """hybrid: fraction of all weights that the second cut removes"""
    wait: tuple[int, ...] = ()
    """after each cut, train until the validation loss has not reached a new low for so many epochs, go back to the
    weights of the low, and cut again; several: one for each cut, the last for all further ones. --epochs limits the
    run"""
    rewind: int | None = None
    """after each cut, survivors go back to the parent's weights at the end of this epoch (0: initialisation) and the
    parent's learning-rate rule is replayed from there (default: fine-tune)"""
    retrain: Rule | None = None
    """learning-rate rule after each cut, made from the parent's: ft, lrw (rate rewinding), slr, clr, llr or allr"""

    def composition(self) -> Composition:
        self._check()
        trigger = Patience(self.wait) if self.wait else Always()
        return Composition(scorer=Magnitude(), schedule=self._schedule(), trigger=trigger, **self._recovery())

    def _check(self) -> None:
        if sum([self.rewind is not None, self.retrain is not None, bool(self.wait)]) > 1:
            raise BadInput("--rewind, --retrain and --wait each say what follows a cut: give one of them")
        if (self.pace == "hybrid") != (self.first is not None and self.step is not None):
            raise BadInput("--pace hybrid goes with --first and --step, for example --first 0.6 --step 0.02")

    def _schedule(self) -> Rounds:
        if self.first is not None and self.step is not None:
            return Hybrid(self.first, self.step)
        return Constant(self.rounds) if self.pace == "constant" else Geometric(self.rounds, self.fraction)

    def _recovery(self) -> dict[str, Any]:
        if self.rewind is not None:
            return {"recovery": Rewind(self.rewind), "start": TrainedAgain()}
        return retrained(self.retrain) or {"recovery": FreshOptimiser()}
