"""What the methods share that cut a trained network in rounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from minima.store.command import BadInput
from pruning.composition.method import Method
from pruning.context.starts import TrainedAgain
from pruning.recoveries.fresh_optimiser import FreshOptimiser
from pruning.recoveries.retrain import OptionalRuleFlag, retrained
from pruning.recoveries.rewind import Rewind
from pruning.schedules.constant import Constant
from pruning.schedules.geometric import Geometric
from pruning.schedules.hybrid import Hybrid
from pruning.schedules.rounds import Rounds
from pruning.triggers.always import Always
from pruning.triggers.patience import Patience


@dataclass(frozen=True)
class Paced(Method):
    """How much each round removes, and what follows it."""

    pace: Literal["geometric", "constant", "hybrid"] = "geometric"
    """how much a round removes. geometric: the same fraction of what is left; constant: the same amount; hybrid: the
    first round removes --first, the following ones ever less, beginning with --step"""
    rounds: int = 10
    """with --pace geometric or constant: the number of cuts; the epochs are shared out equally over them"""
    fraction: float | None = None
    """with --pace geometric: the fraction of what is left that a round removes; there are then as many rounds as it
    takes, and --rounds does not count"""
    first: float | None = None
    """with --pace hybrid: sparsity after the first cut"""
    step: float | None = None
    """with --pace hybrid: fraction of all weights that the second cut removes"""
    wait: tuple[int, ...] = ()
    """train after each cut until the validation loss has not reached a new low for so many epochs, take up the weights
    of the last low, and cut again; several numbers: one for each cut, the last for all further ones. --epochs limits
    the run (default: as many epochs after each cut)"""
    rewind: int | None = None
    """after each cut, take up the parent's weights as they were at the end of this epoch of its training (0: before
    it), and train by the parent's learning-rate rule from there on (default: go on with the weights as they are)"""
    retrain: OptionalRuleFlag = None

    def course(self) -> dict[str, Any]:
        """The parts of a composition that these say: schedule, trigger, recovery, start.

        Raises:
            BadInput: flags that contradict each other.
        """
        if sum([self.rewind is not None, self.retrain is not None, bool(self.wait)]) > 1:
            raise BadInput("--rewind, --retrain and --wait each say what follows a cut: give one of them")
        if (self.pace == "hybrid") != (self.first is not None and self.step is not None):
            raise BadInput("--pace hybrid goes with --first and --step, for example --first 0.6 --step 0.02")
        trigger = Patience(self.wait) if self.wait else Always()
        return {"schedule": self._schedule(), "trigger": trigger} | self._recovery()

    def _schedule(self) -> Rounds:
        if self.first is not None and self.step is not None:
            return Hybrid(self.first, self.step)
        return Constant(self.rounds) if self.pace == "constant" else Geometric(self.rounds, self.fraction)

    def _recovery(self) -> dict[str, Any]:
        if self.rewind is not None:
            return {"recovery": Rewind(self.rewind), "start": TrainedAgain()}
        return retrained(self.retrain) or {"recovery": FreshOptimiser()}
