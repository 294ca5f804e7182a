"""Flags of `python -m pruning.export`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from minima.zoo.subject.flags import Loading


@dataclass(frozen=True, kw_only=True)
class Export(Loading):
    """Write a network for others: dense tensors, in which removed weights are zeros.

    The file is read back and run on some of the data's examples before it counts as written. The end of its name says
    the format: .pt or .pth an ordinary state dict, .safetensors, .pt2 an exported program of torch, .onnx.
    """

    checkpoint: tyro.conf.Positional[Path]
    """checkpoint, or a file of somebody else with --model and --data"""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """file to write"""
    split: Literal["train", "test"] = "train"
    """of which examples a few are run to see that the file is right"""
    overwrite: bool = False
    """replace a file that is there already"""
