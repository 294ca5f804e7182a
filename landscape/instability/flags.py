"""Flags of `python -m landscape.instability`, and what can be refused before any work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from landscape.path.walk_flags import WalkFlags


@dataclass(frozen=True, kw_only=True)
class Instability(WalkFlags):
    """Flags of `python -m landscape.instability`: pairs of siblings, whose files say how many epochs they share."""

    checkpoints: tyro.conf.Positional[tuple[Path, ...]]
    """checkpoints of siblings, the two of a pair one after the other"""
