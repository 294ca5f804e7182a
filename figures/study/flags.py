"""Flags of `python -m figures.study`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from minima.store.command import Command


@dataclass(frozen=True, kw_only=True)
class StudyFlags(Command):
    """Run a whole study: train, prune, measure, judge and draw. Stopped in any way, it goes on when the same line is
    typed again; a network that fails does not stop the others."""

    study: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME|FILE.toml")]
    """the name of a bundled study, or a TOML file of one's own; list: the bundled ones in a line each"""
    cores: int = os.cpu_count() or 1
    """jobs at a time, of one thread each"""
    dry: bool = False
    """check everything and say what would be done"""
    ship: bool = False
    """ship each job's results as soon as they are whole, as `python -m figures.study ship` does"""
    results: Path | None = None
    """with --ship: the folder to ship into (default: of a bundled study the suite's own, else results)"""
    overwrite: bool = False
    """make again what a study of this name made otherwise"""
