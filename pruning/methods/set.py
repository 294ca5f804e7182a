"""Sparse evolutionary training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pruning.composition.exchanging import Exchanging
from pruning.regrow.growth import AtRandom


@dataclass(frozen=True)
class SET(Exchanging):
    """Train a random sparse network; at intervals the smallest weights of each layer make room for others drawn at
    random. --drop set takes as many positive as negative ones, as the paper does."""

    name: ClassVar[str] = "set"
    summary: ClassVar[str] = "smallest weights of a sparse network make room for random ones"
    paper: ClassVar[str] = "Mocanu et al. 2018"
    growth: ClassVar = AtRandom()

    last_fraction: float = 0.3
    """the same of the last exchange; in between along a cosine"""
