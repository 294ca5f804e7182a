"""How much curvature an optimiser bears: beyond it, its steps grow along the steepest direction of a quadratic."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minima.zoo.training.recipe import Recipe
from minima.zoo.training.recorder import unknown_of

if TYPE_CHECKING:
    from minima.store.checkpoints.checkpoint import Checkpoint


@dataclass(frozen=True)
class Moment:
    """A kept moment of a training run, as the header of its trajectory tells it."""

    recipe: Recipe
    update: float | None
    """steps of the optimiser done; None where the file does not tell"""
    learning_rate: float
    """of the next step; NaN where the header does not tell"""
    unknown: str | None
    """why there is no threshold; None where there is one"""
    not_told: tuple[str, ...] = ()
    """parts of the recipe that the file does not tell, where somebody else's loop was recorded"""

    @property
    def batch_size(self) -> int | None:
        """Examples that a step takes; None where the file does not tell."""
        return None if "batch_size" in self.not_told else self.recipe.batch_size

    @property
    def weight_decay(self) -> float | None:
        """The curvature of the weight decay; None where the file does not tell."""
        return None if "weight_decay" in self.not_told else self.recipe.weight_decay

    @property
    def threshold(self) -> float:
        """The largest curvature that the next step bears, in nats; NaN where it is unknown."""
        return math.nan if self.unknown else threshold(self.recipe, self.learning_rate)


def threshold(recipe: Recipe, rate: float) -> float:
    """The largest curvature, in nats, at which sgd by `recipe` is stable at the learning rate `rate`.

    2 / lr without momentum, (2 + 2b) / lr with momentum b, (2 + 2b) / ((1 + 2b) lr) with Nesterov's (Cohen et al.
    2021); infinity at rate 0. Weight decay counts as curvature: add it to the Hessian's before comparing.

    >>> recipes = [Recipe(momentum=0.0), Recipe(momentum=0.9), Recipe(momentum=0.9, nesterov=True)]
    >>> [round(threshold(recipe, 0.1), 3) for recipe in recipes]
    [20.0, 38.0, 13.571]
    """
    b = recipe.momentum
    bound = (2 + 2 * b) / (1 + 2 * b) if recipe.nesterov else 2 + 2 * b
    return bound / rate if rate else math.inf


def moment(checkpoint: Checkpoint, step: int, examples: int) -> Moment:
    """Where a run was at the number `step` of its trajectory; `examples`: how many it was trained on."""
    training = checkpoint.training
    if "recorded" in training:
        return _recorded(training, step, examples)
    recipe = Recipe(**training["recipe"])
    steps_per_epoch = -(-examples // recipe.batch_size)
    update = step if training["keep_unit"] == "step" else step * steps_per_epoch
    unknown = _unknown(recipe, checkpoint.method)
    progress = update / max(1, training["epochs"] * steps_per_epoch)
    return Moment(recipe, update, math.nan if unknown else recipe.rate(progress), unknown)


def _recorded(training: Mapping[str, Any], step: int, examples: int) -> Moment:
    """Of a loop that is not ours (`minima.Recorder`): what it was told, which may be little."""
    told, here = training["recorded"], training.get("moment", {})
    known = told | ({"lr": here["learning_rate"]} if "learning_rate" in here else {})
    optimiser = known.get("optimiser")
    settings = {name: value for name, value in known.items() if name != "optimiser"}
    recipe = Recipe(**settings)
    not_told = [name for name in unknown_of(known) if name != "nesterov" or recipe.momentum]
    update = here.get("update", step if training["keep_unit"] == "step" else None)
    if update is None and "batch_size" not in not_told:
        update = step * -(-examples // recipe.batch_size)
    needed = [name for name in not_told if name not in ("batch_size", "weight_decay")]
    unknown = None
    if optimiser not in (None, "sgd"):
        unknown = (
            f"the optimiser was {optimiser}, whose threshold is not that of sgd (adam's preconditions the Hessian)"
        )
    elif needed:
        unknown = f"the recorder was not told {', '.join(needed)}: give it optimizer=..., or training={{...}}"
    elif "learning_rate" not in here and recipe.schedule != "constant":
        unknown = "the learning rate changed, and the recorder was not given the optimiser to read it from"
    rate = float(known.get("lr", math.nan))
    return Moment(recipe, None if update is None else float(update), rate, unknown, tuple(not_told))


def _unknown(recipe: Recipe, method: Mapping[str, Any] | None) -> str | None:
    if recipe.optimiser == "adam":
        return "adam's is one of the preconditioned Hessian, and a trajectory does not keep the second moments"
    if recipe.schedule == "plateau":
        return "the learning rate followed validation losses, which a trajectory does not keep"
    if method is not None and (recipe.schedule != "constant" or method.get("sets_rate")):
        return "while a network is pruned, a learning rate that falls may start again, which a trajectory does not keep"
    return None
