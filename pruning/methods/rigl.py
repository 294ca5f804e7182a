"""RigL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.exchanging import Exchanging
from pruning.regrow.growth import LargestGradient


@dataclass(frozen=True)
class RigL(Exchanging):
    """RigL: train a network that is sparse from the start, with weights removed at random and small layers keeping more
    of theirs (Erdos-Renyi rule). From time to time the smallest kept weights of each layer make room for as many
    removed ones, those with the largest gradients."""

    name: ClassVar[str] = "rigl"
    summary: ClassVar[str] = "smallest weights of a sparse network make room for those with the largest gradients"
    paper: ClassVar[str] = "Evci et al. 2020"
    growth: ClassVar = LargestGradient()
