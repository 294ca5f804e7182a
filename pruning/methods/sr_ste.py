"""SR-STE."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from minima.store.command import BadInput
from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.starts import StartName, start_at
from pruning.regrow.straight_through import StraightThrough
from pruning.schedules.fixed import Fixed
from pruning.scorers.magnitude import Magnitude
from pruning.spaces.blocks import Blocks


@dataclass(frozen=True)
class SrSte(Method):
    """N:M sparsity from scratch: of every M weights along the input axis the N largest are kept, anew in every step;
    the removed ones are updated by the gradients of the sparse network, and refined by a pull to zero."""

    name: ClassVar[str] = "sr-ste"
    phase: ClassVar = "during training"
    summary: ClassVar[str] = "N largest of every M weights anew in each step, the others updated straight through"
    paper: ClassVar[str] = "Zhou et al. 2021"

    start: StartName = "initialisation"
    """initialisation: the parent's weights of epoch 0, by its recipe; parent: its trained weights, at the final rate"""
    pattern: str = "2:4"
    """N:M; --sparsity must be 1 - N/M"""
    pull: float = 2e-4
    """lambda: part of a removed weight that is added to its gradient"""
    dense: tuple[str, ...] = ()
    """layers to leave dense (and out of the count), for instance those whose input axis M does not divide"""

    def composition(self) -> Composition:
        kept, size = read_pattern(self.pattern)
        return Composition(
            scorer=Magnitude(),
            schedule=Fixed(1 - kept / size),
            straight_through=StraightThrough(kept, size, self.pull),
            start=start_at(self.start),
            space=Blocks(kept, size, self.dense),
        )


def read_pattern(text: str) -> tuple[int, int]:
    """N and M.

    >>> read_pattern("2:4")
    (2, 4)
    """
    found = re.fullmatch(r"(\d{1,3}):(\d{1,3})", text)
    if not (found and 0 < int(found[1]) < int(found[2])):
        raise BadInput(f"--pattern {text}: expected N:M with N from 1 to M - 1, for example 2:4")
    return int(found[1]), int(found[2])
