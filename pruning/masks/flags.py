"""Flags of `python -m pruning.masks`, and what can be refused before any work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from minima.zoo.measuring.flags import Measuring


@dataclass(frozen=True, kw_only=True)
class Masks(Measuring):
    """What a mask has left of a network: weights, empty layers, units cut off, the weights on a path from the input to
    the output (effective sparsity), multiply-adds; of several checkpoints also how far they keep the same weights."""

    split: Literal["train", "test"] = "test"
    """of which examples loss and accuracy are; train includes what training held out for validation"""
