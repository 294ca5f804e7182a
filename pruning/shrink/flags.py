"""Flags of `python -m pruning.shrink`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from minima.zoo.subject.flags import Loading


@dataclass(frozen=True, kw_only=True)
class Shrink(Loading):
    """Make a masked network physically smaller: units that compute nothing go, and outputs stay what they were.

    Exact for any input, unless --by-data or --within is given, and checked before anything is written. A mask that
    leaves every unit some of its inputs and readers, as one over single weights mostly does, leaves nothing to remove:
    the report says so.
    """

    checkpoint: tyro.conf.Positional[Path]
    """checkpoint, or a file of somebody else with --model and --data"""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """checkpoint to write, ending in .pt"""
    fold_batch_norm: bool = False
    """put each batch norm into the layer before it"""
    vanishing: Literal["refuse", "keep-one"] = "refuse"
    """what becomes of a layer all of whose units could go"""
    stuck: Literal["refuse", "keep"] = "refuse"
    """what becomes of units that could go, but whose number is written in the network's code"""
    merge: Literal["smaller", "all", "none"] = "smaller"
    """of two linear layers or convolutions with nothing between them but the place of a rectifier that is gone: which
    become one. smaller: where neither parameters nor multiply-adds become more; all: wherever it is exact (the second
    puts no zeros beside its input)"""
    by_data: bool = False
    """also remove units that are 0 on all examples, or on for all and linear combinations of others that are, and put
    out rectifiers that change nothing on them: a guess from these examples, on which outputs stay what they were. On
    others they may not: the difference on the other split is told"""
    within: Annotated[str | None, tyro.conf.arg(metavar="LOW,HIGH|data")] = None
    """likewise what is proven of all inputs within bounds, by interval arithmetic: LOW,HIGH of every entry as the
    network takes it, with a comma and no blank, or data for the least and largest value of each entry among the
    examples. Bounds that do not hold the examples are refused"""
    split: Literal["train", "test"] = "train"
    """of which examples some are run to compare outputs and to take times, and all for --by-data and --within data"""
    examples: int = 128
    """how many are run at once to take times"""
    overwrite: bool = False
    """replace a file that is there already and was made by another command line"""
