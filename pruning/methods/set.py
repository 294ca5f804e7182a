"""Sparse evolutionary training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.exchanging import Exchanging
from pruning.regrow.growth import AtRandom


@dataclass(frozen=True)
class SET(Exchanging):
    """Sparse evolutionary training: train a network that is sparse from the start, with weights removed at random and
    small layers keeping more of theirs (Erdos-Renyi rule). From time to time the smallest kept weights of each layer
    make room for as many removed ones, drawn at random. --drop set takes as many positive as negative ones, as the
    paper.

    Weights that come begin at 0 and stay there where an input is always 0: such are counted apart in the table.
    """

    name: ClassVar[str] = "set"
    summary: ClassVar[str] = "smallest weights of a sparse network make room for random ones"
    paper: ClassVar[str] = "Mocanu et al. 2018"
    growth: ClassVar = AtRandom()

    last_fraction: float = 0.3
    """fraction of each layer's kept weights that the last exchange moves; in between the fraction falls along a cosine
    """
