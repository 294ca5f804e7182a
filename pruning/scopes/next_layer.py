"""One tensor after the other (ICE-Pruning: Hu et al. 2025)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pruning.context.counts import alive_counts

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context


@dataclass(frozen=True)
class NextLayer:
    """Event number k of the schedule concerns tensor number k, in the order of the network, and it alone."""

    def pools(self, context: Context, alive: dict[str, Tensor], kept: int) -> list[tuple[tuple[str, ...], int]]:
        living = alive_counts(alive)
        turn = list(living)[min(context.events, len(living) - 1)]
        living[turn] = max(0, living[turn] - (sum(living.values()) - kept))
        return [((name,), share) for name, share in living.items()]
