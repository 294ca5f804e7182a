"""Flags of `python -m landscape.path`, and what can be refused before any work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from landscape.path.curve import curves
from landscape.path.walk_flags import Walk, WalkFlags
from minima.store.registry import choices

if TYPE_CHECKING:
    CurveName = str
else:
    CurveName = choices(curves(), "line")
KIND_FLAG = tyro.conf.arg(
    help="; ".join(f"{name}: {curve.formula}" for name, curve in curves().items())
    + "; the bend C is trained so that the loss stays low (Garipov et al. 2018)"
)

RATE, EPOCHS = 0.01, 30


@dataclass(frozen=True, kw_only=True)
class Connection(Walk):
    """What joins two networks, and how its bend is trained if it has one."""

    kind: Annotated[CurveName, KIND_FLAG] = "line"
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
class Path(Connection, WalkFlags):
    """Flags of `python -m landscape.path`."""
