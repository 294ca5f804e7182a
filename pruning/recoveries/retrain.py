"""Retraining by a learning-rate rule made from that of the original training (Zimmer et al. 2023)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import tyro

from pruning.context.starts import TrainedAgain, final_rate, trained_epochs
from pruning.recoveries.recovery import Recovery

if TYPE_CHECKING:
    from minima.zoo.training.loop import Trainer
    from minima.zoo.training.recipe import Recipe
    from pruning.recoveries.cut import Cut

Rule = Literal["ft", "lrw", "slr", "clr", "llr", "allr"]

RULES = (
    "learning rate after each cut, made from the rule of the parent's training. ft: its last rate (where that is 0, "
    "as after a linear rule, a tenth of its first, since a rate of 0 trains nothing; the published code takes the "
    "rate of the last step); lrw: its last steps, as many as there are; slr: the whole rule, compressed; clr: half a "
    "cosine from its highest to its last rate; llr: a line from its highest rate to 0; allr: as llr, from a lower "
    "rate the less the cut has changed the norm of the weights. All but ft and lrw rise from 0 over the first tenth "
    "of the steps; the rule is laid out over the other nine tenths, so that none of it is skipped (in the published "
    "code over all steps, the first tenth of which the rise replaces)"
)
RuleFlag = Annotated[Rule, tyro.conf.arg(help=RULES)]
OptionalRuleFlag = Annotated[
    Rule | None, tyro.conf.arg(help=f"{RULES} (default: a constant rate, the last of the parent's training)")
]

WARM_UP = 0.1
"""fraction of a retraining over which the rate rises from 0, in whole steps"""


@dataclass(frozen=True)
class Retrain(Recovery):
    """Weights are kept, momentum starts anew, and the rate follows, in every step until the next cut,

    ft    the last rate of the original training (see `final_rate`)
    lrw   the original rule's last steps, as many as there are: learning-rate rewinding (Renda et al. 2020)
    slr   the whole original rule, compressed
    clr   half a cosine from the original's highest to its last rate
    llr   a line from the original's highest rate to 0
    allr  likewise from a lower rate the less the cut has changed the norm of the weights

    all but the first two after a warm-up over the first tenth of the steps.
    """

    rule: Rule
    sets_rate: ClassVar[bool] = True

    def recover(self, trainer: Trainer, cut: Cut) -> None:
        trained = trained_epochs(cut.parent, cut.epochs)
        if self.rule == "lrw":
            horizon = max(trained, cut.epochs)
            trainer.restart(cut.recipe, horizon, after=horizon - cut.epochs)
            return
        peak = adaptive_peak(cut, trained) if self.rule == "allr" else cut.recipe.lr
        steps = cut.epochs * trainer.steps_per_epoch
        trainer.restart(retraining(self.rule, cut.recipe, steps, peak), cut.epochs)


def retrained(rule: Rule | None) -> dict[str, Any]:
    """The parts of a composition that a `--retrain` flag stands for; none where it is not given."""
    return {} if rule is None else {"recovery": Retrain(rule), "start": TrainedAgain()}


def retraining(rule: Rule, original: Recipe, steps: int, peak: float) -> Recipe:
    """The recipe of a retraining of so many steps from the rate `peak` on, for every rule but lrw.

    >>> from minima.zoo.training.recipe import Recipe
    >>> original = Recipe(lr=0.1, schedule="step", milestones=(0.6, 0.8))
    >>> [round(retraining("slr", original, 5, 0.1).rate(step / 5), 6) for step in range(5)]
    [0.1, 0.1, 0.1, 0.01, 0.001]
    """
    if rule == "ft":
        return final_rate(original)
    warm = replace(original, warm_up=int(WARM_UP * steps) / max(1, steps))
    if rule == "slr":
        return warm
    if rule == "clr":
        last = original.lr / 10 if original.schedule == "plateau" else original.rate(1.0)
        return replace(warm, lr=peak, schedule="cosine", last=last)
    return replace(warm, lr=peak, schedule="linear", last=0.0)


def adaptive_peak(cut: Cut, trained: int) -> float:
    """The rate ALLR starts from: eta d / sqrt(s), at least eta min(1, T' / T), at most eta.

    eta is the original's highest rate, d the relative change of the norm of the weights and s the fraction of the
    living that the cut removed; T' of the original's T epochs are to come.
    """
    relative = cut.lost / sqrt(cut.removed) if cut.removed > 0 else 0.0
    return cut.recipe.lr * max(min(relative, 1.0), min(1.0, cut.epochs / max(1, trained)))
