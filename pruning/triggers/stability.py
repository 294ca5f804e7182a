"""Cut once the sub-network that the cut would leave no longer changes (EPI: Shen et al. 2022)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from minima.store.command import BadInput
from pruning.context.counts import alive_counts
from pruning.triggers.trigger import Trigger

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.context.context import Context

RISING = 5
"""earlier values of the indicator that it must not be below"""


@dataclass(frozen=True)
class Stability(Trigger):
    """Fires when the early pruning indicator exceeds `tau` and is not below any of its last five values.

    The structure of a sub-network is the number of survivors in each layer, noted at each epoch's end.
    """

    tau: float = 0.983
    past: int = 5

    def __post_init__(self) -> None:
        if not 0 <= self.tau <= 1:
            raise BadInput(f"--tau {self.tau}: expected a similarity, 0 to 1")
        if self.past < 1:
            raise BadInput(f"--past {self.past}: expected at least 1 epoch to look back on")

    def note(self, context: Context, cut: Callable[[], dict[str, Tensor]]) -> list[float]:  # noqa: ARG002
        return [float(count) for count in alive_counts(cut()).values()]

    def fires(self, context: Context) -> bool:
        return is_stable(context.seen, self.tau, self.past)


def is_stable(structures: Sequence[Sequence[float]], tau: float, past: int) -> bool:
    """Whether the indicator of the last structure exceeds tau and is at least each of the five before it."""
    if len(structures) < past + 1 + RISING:
        return False
    recent = [indicator(structures[: len(structures) - back], past) for back in range(RISING + 1)]
    return recent[0] > tau and recent[0] >= max(recent[1:])


def indicator(structures: Sequence[Sequence[float]], past: int) -> float:
    """EPI_t = mean over j = 1..past of the similarity of the last structure to the one j before it."""
    now, earlier = structures[-1], structures[-1 - past : -1]
    return sum(similarity(now, structure) for structure in earlier) / len(earlier)


def similarity(one: Sequence[float], other: Sequence[float]) -> float:
    """Psi = 1 - mean over layers of |n - n'| / (n + n'), n the survivors of a layer; layers empty in both agree.

    >>> similarity((10, 20), (10, 30))
    0.9
    """
    distances = [abs(n - m) / (n + m) if n + m else 0.0 for n, m in zip(one, other, strict=True)]
    return 1 - sum(distances) / len(distances)
