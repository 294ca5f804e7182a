"""Flags of `python -m landscape.topology`, and what can be refused before any work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from minima.store.command import Command


@dataclass(frozen=True, kw_only=True)
class Topology(Command):
    """Flags of `python -m landscape.topology`."""

    surface: tyro.conf.Positional[Path]
    """results file of landscape.surface"""
    prominence: float | None = None
    """nat: what is less deep is no basin of its own (default: the estimated errors of minimum and saddle together; of
    an exact surface 1 % of the rise from the lowest to the median loss)"""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """results file (default: beside the surface, STEM.topology.h5)"""
    overwrite: bool = False
    """replace a file that was made otherwise"""
