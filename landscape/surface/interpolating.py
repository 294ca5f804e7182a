"""A plane through several networks, whose running statistics are interpolated like their weights."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from landscape.surface.plane import Plane

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Interpolating(Plane):
    """`around` are the networks' coordinates, the centre's first."""

    states: Sequence[Mapping[str, Tensor]] = ()
    """what each network holds beside its weights that move"""
    frozen: Collection[str] = ()
    """names of these that are weights, which go on beyond the networks like the others"""

    def shares(self, at: Sequence[float]) -> list[float]:
        """Barycentric coordinates of a point: how much of each network it has; they add up to 1."""
        places = np.array(self.around[1:])  # (k, k)
        others = np.linalg.solve(places.T, np.array(at)).tolist()
        return [1 - sum(others), *others]

    def held(self, at: Sequence[float]) -> dict[str, Tensor]:
        """The shares' mean of the networks' own statistics.

        Beyond the networks a statistic stays within the range of theirs: extrapolated, a variance would be negative.
        """
        shares = self.shares(at)
        return {
            name: _mean(shares, [state[name] for state in self.states], within=name not in self.frozen)
            for name in self.states[0]
        }


def _mean(shares: Sequence[float], values: Sequence[Tensor], *, within: bool) -> Tensor:
    stacked = torch.stack([value.double() for value in values])
    weights = torch.tensor(shares, dtype=stacked.dtype, device=stacked.device)
    mean = torch.tensordot(weights, stacked, dims=1)
    return (mean.clamp(stacked.amin(0), stacked.amax(0)) if within else mean).to(values[0].dtype)
