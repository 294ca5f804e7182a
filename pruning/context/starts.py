"""Where a run begins, and by which recipe it trains unless flags say otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

import tyro

from minima.store.command import BadInput

if TYPE_CHECKING:
    from torch import Tensor

    from minima.store.checkpoints.checkpoint import Checkpoint
    from minima.zoo.training.recipe import Recipe

StartName = Literal["parent", "initialisation"]
StartFlag = Annotated[
    StartName,
    tyro.conf.arg(
        help="where the run begins. parent: with the parent's trained weights, which train on at a constant rate, the "
        "last of the parent's training (a tenth of its first where the last is 0); initialisation: with the parent's "
        "weights before its training, which train by its whole recipe"
    ),
]


class NotHeld(BadInput):
    """A file does not hold the weights of an epoch that a method begins at."""

    def __init__(self, epoch: int, message: str) -> None:
        super().__init__(message)
        self.epoch = epoch


class Start(Protocol):
    """Where the run begins, and with which optimiser and learning-rate rule unless flags say otherwise."""

    def weights(self, parent: Checkpoint) -> Mapping[str, Tensor]:
        """The state dict that the run starts from.

        Args:
            parent: the checkpoint that is pruned.

        Raises:
            BadInput: the parent does not hold it, as without the weights of that epoch.
        """

    def recipe(self, parent: Recipe) -> Recipe:
        """The recipe that the run trains by, given the one that the parent was trained by."""

    def behind(self, epochs: int) -> int:
        """How many of the `epochs` of the parent's training lie behind those weights."""


@dataclass(frozen=True)
class FromParent:
    """The parent's trained weights, at the final rate of its training (`final_rate`)."""

    def weights(self, parent: Checkpoint) -> Mapping[str, Tensor]:
        return parent.state

    def recipe(self, parent: Recipe) -> Recipe:
        return final_rate(parent)

    def behind(self, epochs: int) -> int:
        return epochs


@dataclass(frozen=True)
class TrainedAgain:
    """The parent's trained weights, by the parent's whole recipe: what rewinding replays."""

    def weights(self, parent: Checkpoint) -> Mapping[str, Tensor]:
        return parent.state

    def recipe(self, parent: Recipe) -> Recipe:
        return parent

    def behind(self, epochs: int) -> int:
        return epochs


@dataclass(frozen=True)
class FromEpoch:
    """The parent's weights at the end of an epoch of its training (0: initialisation), by the parent's whole recipe."""

    epoch: int = 0
    asked: str = "this method starts at the initial weights"
    """why it is that epoch: a flag, or the method"""

    def weights(self, parent: Checkpoint) -> Mapping[str, Tensor]:
        return weights_at(parent, self.epoch, self.asked)

    def recipe(self, parent: Recipe) -> Recipe:
        return parent

    def behind(self, epochs: int) -> int:  # noqa: ARG002 (whatever it was trained for)
        return self.epoch


@dataclass(frozen=True)
class EdgeOfChaos:
    """The parent's initial weights, each layer's scaled to fan-in x mean squared weight = `variance` and its bias 0, by
    the parent's whole recipe: where signals and gradients neither grow nor fade with depth (Hayou et al. 2021)."""

    variance: float = 2.0

    def __post_init__(self) -> None:
        if not 0 < self.variance < float("inf"):
            raise BadInput(f"--variance {self.variance}: expected a finite number above 0, for example 2 for ReLU")

    def weights(self, parent: Checkpoint) -> Mapping[str, Tensor]:
        initial = weights_at(parent, 0, "the edge of chaos is a scale of the initial weights")
        layers = {name for name, value in initial.items() if name.endswith(".weight") and value.ndim > 1}
        biases = {name.removesuffix("weight") + "bias" for name in layers}

        def scaled(name: str, value: Tensor) -> Tensor:
            if name in layers:
                return to_variance(value, self.variance)
            return value.new_zeros(value.shape) if name in biases else value

        return {name: scaled(name, value) for name, value in initial.items()}

    def recipe(self, parent: Recipe) -> Recipe:
        return parent

    def behind(self, epochs: int) -> int:  # noqa: ARG002 (none do)
        return 0


def to_variance(weight: Tensor, variance: float) -> Tensor:
    """A layer's weight (out, in, ...) times one factor, so that fan-in x mean squared weight = `variance`.

    >>> import torch
    >>> to_variance(torch.tensor([[3.0, 0.0], [0.0, 4.0]]), 2.0).square().sum()  # 2 units
    tensor(4.)
    """
    per_unit = weight.detach().double().square().sum() / len(weight)
    return weight.detach() * (variance / per_unit).sqrt().to(weight.dtype) if per_unit else weight.detach().clone()


def start_at(name: StartName) -> Start:
    """The start a `--start` flag names."""
    return FromParent() if name == "parent" else FromEpoch(0, "--start initialisation")


def final_rate(recipe: Recipe) -> Recipe:
    """The recipe at a constant rate: the last of the parent's rule (FT of Renda et al. 2020).

    Constant: its rate. Step: the rate after the last milestone. Cosine and linear: the last, but where it is 0, and for
    plateau, which does not say where it ended, a tenth of the initial rate (Janusz et al. 2025).

    >>> from minima.zoo.training.recipe import Recipe
    >>> [round(final_rate(Recipe(lr=0.1, schedule=rule)).lr, 6) for rule in ("constant", "step", "cosine", "plateau")]
    [0.1, 0.001, 0.01, 0.01]
    """
    last = 0.0 if recipe.schedule == "plateau" else recipe.rate(1.0)
    return replace(recipe, lr=last or recipe.lr / 10, schedule="constant", warm_up=0.0, last=0.0)


def trained_epochs(parent: Checkpoint, otherwise: int) -> int:
    """The number of epochs that the parent was trained for; `otherwise` where it does not say."""
    return int(parent.training.get("epochs") or otherwise)


def weights_at(parent: Checkpoint, epoch: int, why: str) -> Mapping[str, Tensor]:
    """The parent's state dict at the end of `epoch` of its training; BadInput where the file does not hold it."""
    if epoch in parent.weights_at:
        return parent.weights_at[epoch]
    held = ", ".join(str(known) for known in sorted(parent.weights_at)) or "none"
    raise NotHeld(
        epoch,
        f"{why}: the checkpoint does not hold the weights of epoch {epoch} of its training (it holds: {held}).\n"
        + _instead(parent, epoch),
    )


def _instead(parent: Checkpoint, epoch: int) -> str:
    """What to type where a file does not hold the weights of an epoch."""
    if parent.model.get("shrunk"):
        return (
            "It was made smaller, and its initial weights were not: prune the wide file it was made from and shrink "
            "that one, or type a method that begins with the trained weights (after training: python -m pruning list)"
        )
    said = _from_its_parent(parent) if parent.method else "Dense checkpoints of python -m minima.train hold epoch 0"
    return said + (
        "" if epoch else "; of epoch 0 they can be given: python -m pruning takes --initial FILE, prune initial="
    )


def _from_its_parent(pruned: Checkpoint) -> str:
    """What to type instead of a file that was pruned."""
    by, parent = (pruned.method or {}).get("name", "a pruning method"), pruned.parent or "unknown"
    return (
        f"It was made by {by} of another file (SHA-256 {parent[:12]}...): give that dense file in its place, which "
        "holds its initial weights"
    )
