"""Potentials that are zero to rounding: another batch size or machine may find them on the other side."""

from __future__ import annotations

from torch import Tensor

NEAR = 2.0**-20
"""of the largest potential of the site in the batch, in magnitude: some rounding errors of a float32 sum"""


class Ties:
    """How many potentials z of each site have 0 < |z| <= 2^-20 max |z|. An exact zero (of a removed neuron) is none."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def add(self, name: str, potential: Tensor) -> None:
        """Count in a batch's potentials of a site."""
        magnitude = potential.abs()
        near = (magnitude > 0) & (magnitude <= NEAR * magnitude.max())
        self.counts[name] = self.counts.get(name, 0) + int(near.sum())
