"""Flags of `python -m entropy.transfer`, and what can be refused before any work."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from minima.store.command import BadInput
from minima.zoo.measuring.flags import Measuring
from minima.zoo.training.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class Transfer(Measuring):
    """What networks are worth on other data: linear probe, fine-tuning, and how both go with PSP-entropy."""

    to: str
    """the target: any data (mnist, npz:FILE, ...) or some of its classes (digits:classes=5-9), normalised as the
    checkpoint's own data is"""
    split: Literal["train", "test"] = "test"
    """of the checkpoint's own data, for loss and accuracy, and of the target, for the entropies"""
    samples: int | str | None = None
    """N examples of the split of the checkpoint's own data, drawn under --seed; first:N the first N in file order
    (default: all); the target is used whole"""
    epochs: int = 30
    """of fine-tuning on the target, with a fresh head and the mask kept (0: none)"""
    recipe: Recipe = field(default_factory=lambda: Recipe(lr=0.05))


def check_recipe(recipe: Recipe) -> None:
    """Refuse a recipe that no training can use, naming flags with the prefix that they have here, since --batch-size is
    taken.
    """
    try:
        recipe.check()
    except BadInput as error:
        raise BadInput(str(error).replace("--", "--recipe.", 1)) from error
