"""What a training run does, whatever it starts from: stored in the checkpoint, and its resumable state's identity."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from zoo.recipe import Recipe


@dataclass(frozen=True)
class Plan:
    """Everything that decides the bytes of a training run, beside its start and its data."""

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

    def stored(self) -> dict[str, Any]:
        """The entry `training` of a checkpoint."""
        return asdict(self)
