"""Flags of `python -m landscape.instability`, and what can be refused before any work."""

from __future__ import annotations

from dataclasses import dataclass

from landscape.path.along import Along


@dataclass(frozen=True, kw_only=True)
class Instability(Along):
    """Flags of `python -m landscape.instability`: pairs of siblings, whose files say how many epochs they share."""
