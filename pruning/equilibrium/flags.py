"""Flags of `python -m pruning.equilibrium`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from minima.zoo.measuring.flags import Measuring


@dataclass(frozen=True, kw_only=True)
class EquilibriumFlags(Measuring):
    """Which neurons `python -m minima.train --equilibrium` left out of each epoch, what its backward passes took in
    multiply-adds, and loss and score beside those of other trainings; without --equilibrium a training is full."""

    split: Literal["train", "test"] = "test"
    """of which examples loss and score are; train includes what training held out for validation"""
