"""Flags of `python -m figures.page`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from minima.store.command import Command


@dataclass(frozen=True, kw_only=True)
class PageFlags(Command):
    """What to show, and where."""

    inputs: tyro.conf.Positional[tuple[Path, ...]]
    """results files (.h5), checkpoints (whose results stand beside them), or folders of results"""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """the page to write, such as page.html"""
    title: str = ""
    """what the page is called (default: the networks' names)"""
