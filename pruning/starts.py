"""Where a run begins, and by which recipe it trains unless flags say otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from store.command import BadInput

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.composition import Start
    from store.checkpoint import Checkpoint
    from zoo.recipe import Recipe

StartName = Literal["parent", "initialisation"]


@dataclass(frozen=True)
class FromParent:
    """The parent's trained weights, at the final rate of its training (`final_rate`)."""

    def weights(self, parent: Checkpoint) -> Mapping[str, Tensor]:
        return parent.state

    def recipe(self, parent: Recipe) -> Recipe:
        return final_rate(parent)


@dataclass(frozen=True)
class TrainedAgain:
    """The parent's trained weights, by the parent's whole recipe: what rewinding replays."""

    def weights(self, parent: Checkpoint) -> Mapping[str, Tensor]:
        return parent.state

    def recipe(self, parent: Recipe) -> Recipe:
        return parent


@dataclass(frozen=True)
class FromEpoch:
    """The parent's weights at the end of an epoch of its training (0: initialisation), by the parent's whole recipe."""

    epoch: int = 0

    def weights(self, parent: Checkpoint) -> Mapping[str, Tensor]:
        return weights_at(parent, self.epoch, "--start initialisation")

    def recipe(self, parent: Recipe) -> Recipe:
        return parent


def start_at(name: StartName) -> Start:
    """The start a `--start` flag names."""
    return FromParent() if name == "parent" else FromEpoch(0)


def final_rate(recipe: Recipe) -> Recipe:
    """The recipe at a constant rate: the last of the parent's rule (FT of Renda et al. 2020).

    Constant: its rate. Step: the rate after the last milestone. Cosine and linear: the last, but where it is 0, and for
    plateau, which does not say where it ended, a tenth of the initial rate (Janusz et al. 2025).

    >>> from zoo.recipe import Recipe
    >>> [round(final_rate(Recipe(lr=0.1, schedule=rule)).lr, 6) for rule in ("constant", "step", "cosine", "plateau")]
    [0.1, 0.001, 0.01, 0.01]
    """
    last = 0.0 if recipe.schedule == "plateau" else recipe.rate(1.0)
    return replace(recipe, lr=last or recipe.lr / 10, schedule="constant", warm_up=0.0, last=0.0)


def trained_epochs(parent: Checkpoint, otherwise: int) -> int:
    """For how many epochs the parent was trained; `otherwise` where it does not say."""
    return int(parent.training.get("epochs") or otherwise)


def weights_at(parent: Checkpoint, epoch: int, flag: str) -> Mapping[str, Tensor]:
    """The parent's state dict at the end of `epoch` of its training; BadInput where the file does not hold it."""
    if epoch in parent.weights_at:
        return parent.weights_at[epoch]
    held = ", ".join(str(known) for known in sorted(parent.weights_at)) or "none"
    raise BadInput(
        f"{flag}: the checkpoint does not hold the weights of epoch {epoch} of its training (it holds: {held}). "
        "A dense checkpoint of zoo.train holds epoch 0"
    )
