"""Flags of the commands that walk from one network to another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import tyro

from landscape.objective.flags import Restricted
from minima.store.command import BadInput
from minima.zoo.settings import chosen


@dataclass(frozen=True, kw_only=True)
class Walk:
    """Where on the way between two networks to look, and with which statistics."""

    points: int = 25
    """values of t from 0 to 1, both ends included"""
    batch_norm: Literal["interpolate", "re-estimate"] = "interpolate"
    """running statistics on the way: interpolated like the weights, or estimated anew at each t (the ends too)"""

    @property
    def reestimates(self) -> bool:
        """Whether batch norm's statistics are estimated anew."""
        return self.batch_norm == "re-estimate"

    def check(self, **least: int) -> None:
        """Refuse counts below the `least` that these flags may be, and words that they do not know."""
        chosen(self)
        for flag, lowest in (least | {"points": 2}).items():
            if getattr(self, flag) < lowest:
                name = f"--{flag}".replace("_", "-")
                raise BadInput(f"{name} {getattr(self, flag)}: expected at least {lowest}")


@dataclass(frozen=True, kw_only=True)
class WalkFlags(Walk, Restricted):
    """Flags of a walk between two networks: of pruned ones, weights that either of the two kept are on the way; ranks
    share the examples.

    A weight that both removed is 0 all along, so the way is the same in either subspace.
    """

    shares_work: ClassVar[bool] = True

    checkpoints: tyro.conf.Positional[tuple[Path, ...]]
    """checkpoints or trajectory files, in the order that is shown above"""
