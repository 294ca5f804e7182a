"""Flags of `python -m pruning.export`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from minima.zoo.subject.flags import Loading
from pruning.export.format import formats

OUT_FLAG = tyro.conf.arg(
    aliases=["-o"],
    help="file to write; the end of its name says the format: "
    + ", ".join(f"{name} ({' or '.join(form.suffixes)})" for name, form in formats().items()),
)


@dataclass(frozen=True, kw_only=True)
class Export(Loading):
    """Write a network for others: dense tensors, in which removed weights are zeros.

    The file is read back and run on some of the data's examples before it counts as written.
    """

    checkpoint: tyro.conf.Positional[Path]
    """checkpoint, or a file of somebody else with --model and --data"""
    out: Annotated[Path, OUT_FLAG]
    split: Literal["train", "test"] = "train"
    """of which examples a few are run to see that the file is right"""
    overwrite: bool = False
    """replace a file that is there already"""
