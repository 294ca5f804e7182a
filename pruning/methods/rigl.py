"""RigL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.exchanging import Exchanging
from pruning.regrow.growth import LargestGradient


@dataclass(frozen=True)
class RigL(Exchanging):
    """Train a random sparse network; at intervals the smallest weights of each layer make room for those with the
    largest gradients, fewer and fewer."""

    name: ClassVar[str] = "rigl"
    summary: ClassVar[str] = "smallest weights of a sparse network make room for those with the largest gradients"
    paper: ClassVar[str] = "Evci et al. 2020"
    growth: ClassVar = LargestGradient()
