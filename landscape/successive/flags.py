"""Flags of `python -m landscape.successive`, and what can be refused before any work."""

from __future__ import annotations

from dataclasses import dataclass

from landscape.path.walk_flags import WalkFlags


@dataclass(frozen=True, kw_only=True)
class Successive(WalkFlags):
    """Flags of `python -m landscape.successive`: from each checkpoint to the next."""

    siblings: bool = False
    """the last two checkpoints are no levels but siblings (one start, one method, another data order each): the
    barrier between them is what the others are read against"""
