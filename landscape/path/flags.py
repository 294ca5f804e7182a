"""Flags of `python -m landscape.path`, and what can be refused before any work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from landscape.path.along import Along, Walk
from landscape.path.curve import curves
from minima.store.registry import choices

if TYPE_CHECKING:
    CurveName = str
else:
    CurveName = choices(curves(), "line")

RATE, EPOCHS = 0.01, 30


@dataclass(frozen=True, kw_only=True)
class Connection(Walk):
    """What joins two networks, and how its bend is trained if it has one."""

    kind: CurveName = "line"
    """straight; or with a bend trained so that the loss stays low (Garipov et al. 2018): a quadratic Bezier curve, or
    two straight pieces"""
    align: Literal["none", "weights"] = "none"
    """weights: first put the second network's neurons into the order of the first's that they resemble (Ainsworth et
    al. 2023)"""
    epochs: int = EPOCHS
    """of the bend's training, over the examples that the first network's training saw"""
    lr: float = RATE
    """learning rate of the bend's training (Adam), falling to 0 along a cosine"""
    examples_per_step: int = 100
    """of the bend's training"""


@dataclass(frozen=True, kw_only=True)
class Path(Connection, Along):
    """Flags of `python -m landscape.path`."""
