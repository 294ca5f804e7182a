"""What a training run does, whatever it starts from: stored in the checkpoint, and its resumable state's identity."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from minima.zoo.training.freezing import Equilibrium
from minima.zoo.training.recipe import Recipe, require


@dataclass(frozen=True)
class Plan:
    """Everything that decides the bytes of a training run, beside its start and its data.

    Raises:
        BadInput: a value that no run can use. A plan is made before any work.
    """

    recipe: Recipe
    epochs: int
    validation: float
    split_seed: int
    order_seed: int
    weights_at: tuple[int, ...] = ()
    """epochs whose weights the finished checkpoint also holds"""
    keep: int = 0
    """write the weights of every keep-th epoch or step to a trajectory file (0: none)"""
    keep_unit: Literal["epoch", "step"] = "epoch"
    from_epoch: int | None = None
    """epoch of the parent whose weights the run starts from (None: its last)"""
    task: dict[str, Any] | None = None
    """`loss` and `output` as `task_entry` has them (None: the plain cross-entropy of the only output)"""
    equilibrium: Equilibrium | None = None
    """which neurons are left out of an epoch (None: all train)"""

    def __post_init__(self) -> None:
        self.recipe.check()
        if self.equilibrium is not None:
            self.equilibrium.check()
        require("--epochs", self.epochs, self.epochs >= 0, "0 or more")
        require("--validation", self.validation, 0 <= self.validation < 1, "a fraction, at least 0 and below 1")
        require("--keep", self.keep, self.keep >= 0, "0 (keep none) or more")
        for epoch in self.weights_at:
            require("--weights-at", epoch, 0 <= epoch <= self.epochs, f"epochs of this run, from 0 to {self.epochs}")

    def stored(self) -> dict[str, Any]:
        """The entry `training` of a checkpoint; without `from_epoch`, `task` and `equilibrium` where there are
        none."""
        left_out = ("from_epoch", "task", "equilibrium")
        return {key: value for key, value in asdict(self).items() if key not in left_out or value is not None}
