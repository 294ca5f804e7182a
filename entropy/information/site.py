"""What counting has to know of a site before it counts there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Site:
    """A site's neurons, seen in a pass of one example."""

    name: str
    neurons: int
    positions: int
    """states per neuron and example"""
    bytes: int
    """of its potentials, for an example"""
