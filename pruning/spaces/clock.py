"""How long a network's forward pass takes without some of its units."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minima.zoo.anatomy.narrowing.narrow import narrow
from minima.zoo.anatomy.removable import Removable

WHOLE = 1_000_000
"""what the time of the whole network counts: times are in millionths of it"""
EXAMPLES = 64
"""that a pass is timed over, at most"""


@dataclass(frozen=True, eq=False)
class Clock:
    """Times the network, made narrower, against the whole one in turns."""

    network: Removable
    x: Any
    """(N, ...) inputs"""
    timings: dict[str, float] = field(default_factory=dict)
    """what was measured, by numbers of units: nothing is measured twice, so that a run that goes on finds the same"""

    def left(self, kept: Mapping[str, int]) -> int:
        """The time with so many units of each group, in millionths of that of the whole network."""
        sizes = {group.name: group.size for group in self.network.groups}
        if dict(kept) == sizes:
            return WHOLE
        key = " ".join(str(kept[name]) for name in sizes)
        if key not in self.timings:
            self.timings[key] = self._measure({name: max(1, kept[name]) for name in sizes})
        return round(WHOLE * self.timings[key])

    def _measure(self, kept: Mapping[str, int]) -> float:
        from pruning.context.latency import latency

        small = copy.deepcopy(self.network.model)
        units = {group.name: np.arange(group.size) < kept[group.name] for group in self.network.groups}
        narrow(small, self.network.manifest(units))
        found = latency(self.network.model, small, self.x[:EXAMPLES])
        return found["after"] / found["before"]
