"""Flags of `python -m pruning.coded`, and what can be refused before any work."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal

from minima.store.command import BadInput
from minima.zoo.measuring.flags import Measuring

USUAL = (2, 3, 4, 5, 6, 8)
FEWEST, MOST = 2, 8
"""bits of a weight: one of them is its sign, and a symbol is a byte"""


@dataclass(frozen=True, kw_only=True)
class Coded(Measuring):
    """What a network takes in bytes when its weights are quantised uniformly and coded by their frequencies: the
    entropy of the symbols with the cost of the mask, the bytes of a real coder that were decoded again, and loss and
    score of what was decoded. Dense, pruned and shrunk checkpoints can be given side by side."""

    bits: tuple[int, ...] = ()
    """of a weight, its sign included: each layer's step is its largest |w| / (2^(bits - 1) - 1)
    (default: 2 3 4 5 6 8, or none with --step)"""
    step: tuple[float, ...] = ()
    """steps that all layers share, in the weights' own units, in the place of --bits"""
    split: Literal["train", "test"] = "test"
    """of which examples loss and score are; train includes what training held out for validation"""


def bits_of(arguments: Coded) -> tuple[int, ...]:
    """The typed bits, or the default ones."""
    return arguments.bits or (() if arguments.step else USUAL)


def check(arguments: Coded) -> None:
    """Refuse what no network is needed for."""
    if arguments.bits and arguments.step:
        raise BadInput("--bits and --step both say how fine the levels are: type one of them")
    for bits in arguments.bits:
        if not FEWEST <= bits <= MOST:
            raise BadInput(f"--bits {bits}: expected {FEWEST} to {MOST}, for example --bits 4 6 8")
    for step in arguments.step:
        if not 0 < step < inf:
            raise BadInput(f"--step {step:g}: expected a finite number above 0, for example --step 0.01")
