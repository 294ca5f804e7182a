"""Flags of `python -m figures.study ship`, `redraw`, `trace` and `convert`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from minima.store.command import Command


@dataclass(frozen=True, kw_only=True)
class Ship(Command):
    """Ship what a study has finished in this folder: one file a job, compressed and never rewritten, with the hashes of
    the networks, the versions and the commands that made it. Networks themselves are not shipped."""

    studies: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="NAME|FILE.toml")]
    """the studies, bundled or in TOML files"""
    results: Path | None = None
    """folder to ship into (default: of a bundled study the suite's own, else results)"""


@dataclass(frozen=True, kw_only=True)
class Redraw(Command):
    """Draw figures, tables and pages again from shipped results, of whole studies and of such as are under way."""

    studies: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="NAME|FILE.toml")] = ()
    """the studies (default: all of which results are shipped)"""
    results: Path | None = None
    """folder of what is shipped (default: of a bundled study the suite's own, else results)"""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("docs/findings")
    """folder to write: a folder for each study in it, and a page that tells how far each is"""
    cores: int = os.cpu_count() or 1
    """studies drawn at a time"""


@dataclass(frozen=True, kw_only=True)
class Trace(Command):
    """Where a number of a page comes from: what computed it, its results, and of each network the hash and the command
    that made it. Pages are those that `redraw` has written; their numbers also link to a page that says the same."""

    study: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME|FILE.toml")]
    """whose page it stands on"""
    asked: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NUMBER|NAME")]
    """a number as the page prints it, such as 0.397 (one with a minus behind --), or the name of a claim or table"""
    results: Path | None = None
    """folder of what is shipped (default: of a bundled study the suite's own, else results)"""
    pages: Path = Path("docs/findings")
    """folder of the redrawn pages"""


@dataclass(frozen=True, kw_only=True)
class Reproduce(Command):
    """Make what is shipped of one seed again from scratch, and compare: networks by their hashes, results number for
    number. On the same type of processor, with the same versions, all are equal; elsewhere rounding differs, and it is
    told how many numbers lie within what the shipped seeds span."""

    study: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="NAME|FILE.toml")]
    """whose networks to make"""
    seed: int
    """the seed of which everything that is shipped is made again"""
    results: Path | None = None
    """folder of what is shipped (default: of a bundled study the suite's own, else results)"""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("reproduced")
    """folder to work in, apart from the study's own; stopped, the same line goes on there. Files of your own that
    the study names by relative paths have to lie there"""
    cores: int = os.cpu_count() or 1
    """jobs at a time, of one thread each"""


@dataclass(frozen=True, kw_only=True)
class Convert(Command):
    """Give shipped files of an older form today's form, each in one step: stopped, it goes on when the line is typed
    again. The results files in them stay the same byte for byte, and so does what is told of their making."""

    results: Path | None = None
    """folder of what is shipped (default: the suite's own)"""
