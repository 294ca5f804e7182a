"""SR-STE."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from minima.store.command import BadInput
from pruning.composition.composition import Composition
from pruning.composition.method import Method
from pruning.context.starts import StartFlag, start_at
from pruning.regrow.straight_through import StraightThrough
from pruning.schedules.fixed import Fixed
from pruning.scorers.magnitude import Magnitude
from pruning.spaces.blocks import Blocks


@dataclass(frozen=True)
class SrSte(Method):
    """N:M sparsity from scratch: of every M weights that follow each other along a layer's input axis the N largest are
    kept, chosen anew in every step. The others are updated by the gradients as well, as if they were in use (straight
    through), and pulled towards zero."""

    name: ClassVar[str] = "sr-ste"
    phase: ClassVar = "during training"
    summary: ClassVar[str] = "N largest of every M weights anew in each step, the others updated straight through"
    paper: ClassVar[str] = "Zhou et al. 2021"

    start: StartFlag = "initialisation"
    pattern: str = "2:4"
    """N:M, for example 2:4; --sparsity must be 1 - N/M"""
    pull: float = 2e-4
    """lambda: fraction of a removed weight that is added to its gradient"""
    dense: tuple[str, ...] = ()
    """layers to leave dense, which then do not count for the sparsity: for instance those whose number of inputs M does
    not divide"""

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
    """The numbers N and M of a pattern N:M.

    >>> read_pattern("2:4")
    (2, 4)
    """
    found = re.fullmatch(r"(\d{1,3}):(\d{1,3})", text)
    if not (found and 0 < int(found[1]) < int(found[2])):
        raise BadInput(f"--pattern {text}: expected N:M with N from 1 to M - 1, for example 2:4")
    return int(found[1]), int(found[2])
