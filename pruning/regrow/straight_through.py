"""Weights of blocks that go and come back in every step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from minima.store.command import BadInput
from pruning.spaces.blocks import largest_of_blocks

if TYPE_CHECKING:
    from torch import Tensor

    from minima.zoo.training.loose import LooseMasks


@dataclass(frozen=True)
class StraightThrough:
    """Gradients reach removed weights, which `pull` draws to zero (see `minima.zoo.training.loose`)."""

    kept: int
    size: int
    pull: float

    def __post_init__(self) -> None:
        if not self.pull >= 0:
            raise BadInput(f"--pull {self.pull}: expected 0 or more, for example 2e-4")

    def loose(self, weights: Mapping[str, Tensor]) -> LooseMasks:
        """The masks in force, over `weights`."""
        from minima.zoo.training.loose import LooseMasks

        return LooseMasks(weights, partial(largest_of_blocks, kept=self.kept, size=self.size), self.pull)
