"""Which of many points is the lowest or the highest: most are ruled out on some of the examples."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor

from landscape.objective.streams import stream

At = TypeVar("At", bound=Hashable)
BEYOND = 5.0
"""standard errors by which a point must lie behind the best on some of the examples to be out"""
CHECKED = 3
"""points at least that are evaluated on all examples, so that their estimates are checked"""
ROUNDING = 1e-9
"""relative to the values compared: what two sums of the same differ by"""
ROUNDS = (0.1, 0.25)
"""shares of the examples, round after round: those whose losses differ most between the points"""
DRAWN = 0.05
"""share of the examples: a sample of the others"""
LEAST = 256
"""examples: of fewer each point is evaluated on all"""


@dataclass(frozen=True)
class Strata:
    """Some of N examples: those that make most of the difference between points, and a random sample of the others."""

    rows: Tensor
    """(n,) which examples, ascending"""
    hard: Tensor
    """(n,) bool: which of them stand for themselves only"""
    total: int
    """N"""

    @staticmethod
    def of(losses: Tensor, hard: float, seed: int) -> Strata:
        """Chosen by the spread of each example's losses (points, N) over a few points, the share `hard` of all."""
        total = losses.shape[1]
        order = (losses.amax(0) - losses.amin(0)).nan_to_num(nan=math.inf).argsort(descending=True, stable=True).cpu()
        count = math.ceil(hard * total)
        others = order[count:]
        drawn = others[torch.randperm(len(others), generator=stream(seed, "strata"))[: math.ceil(DRAWN * total)]]
        rows, back = torch.cat([order[:count], drawn]).sort()
        return Strata(rows.to(losses.device), (back < count).to(losses.device), total)

    def difference(self, values: Tensor) -> tuple[float, float]:
        """The mean over all examples of what is known on these (n,), and its standard error."""
        easy = values[~self.hard]
        share = 1 - int(self.hard.sum()) / self.total
        among = round(share * self.total)
        mean = values[self.hard].sum().item() / self.total + share * easy.mean().item()
        spread = easy.std().item() if len(easy) > 1 else math.inf
        return mean, share * spread * math.sqrt(max(0.0, 1 - len(easy) / among) / len(easy))


class Race(Generic[At]):
    """A mean over N examples at many points: which is the lowest, evaluating few of them on all examples.

    In each of two rounds the points are compared by the differences of the same examples, those that matter most and a
    sample of the others, of more examples the second time: what lies five standard errors behind the best is out. The
    others are evaluated on all. Where one then differs from its own estimate by as much, the examples do not tell
    (their tails are too heavy), and all points are evaluated on all.
    """

    def __init__(
        self,
        whole: Callable[[At], Tensor],
        some: Callable[[Tensor], Callable[[At], Tensor]],
        pilots: Sequence[At],
        seed: int,
    ) -> None:
        """`whole`: what each example has of the mean at a point, (N,); `some`: the same of those with some indices.

        `pilots`: points at which the examples differ as they do elsewhere.
        """
        self.whole = Remembered(whole)
        losses = torch.stack([self.whole(at) for at in pilots])
        enough = losses.shape[1] >= LEAST
        self.rounds = [Strata.of(losses, hard, seed) for hard in ROUNDS] if enough else []
        self.parts = [Remembered(some(strata.rows)) for strata in self.rounds]

    def lowest(self, points: Sequence[At], sign: int = 1) -> At:
        """The point at which `sign` times the mean is smallest.

        >>> losses = torch.arange(4.0)[:, None] + torch.linspace(0, 1, 1000)  # of 4 points, on 1000 examples
        >>> seen = []
        >>> race = Race(lambda at: seen.append(at) or losses[at], lambda rows: lambda at: losses[at, rows], [1, 2], 0)
        >>> race.lowest(range(4)), race.lowest(range(4), -1), seen
        (0, 3, [1, 2, 0, 3])
        """
        kept, behind = list(points), {}
        for strata, parts in zip(self.rounds, self.parts, strict=True):
            here = {at: sign * parts(at) for at in kept}
            best = min(kept, key=lambda at, s=strata, h=here: s.difference(h[at])[0])  # type: ignore[misc]
            behind = {at: strata.difference(here[at] - here[best]) for at in kept}
            first = set(sorted(kept, key=lambda at, b=behind: b[at][0])[:CHECKED])  # type: ignore[misc]
            kept = [at for at in kept if at in first or not behind[at][0] > BEYOND * behind[at][1]]
        found = {at: sign * self.whole(at).mean().item() for at in kept}
        if self.rounds and any(not _as_estimated(found[at] - found[best], *behind[at], found[at]) for at in kept):
            found = {at: sign * self.whole(at).mean().item() for at in points}
        return min(found, key=found.__getitem__)


class Remembered(Generic[At]):
    """A function of points, each evaluated once."""

    def __init__(self, function: Callable[[At], Tensor]) -> None:
        self.function = function
        self.known: dict[At, Tensor] = {}

    def __call__(self, at: At) -> Tensor:
        if at not in self.known:
            self.known[at] = self.function(at)
        return self.known[at]


def _as_estimated(difference: float, mean: float, error: float, value: float) -> bool:
    return abs(difference - mean) <= BEYOND * error + ROUNDING * abs(value)
