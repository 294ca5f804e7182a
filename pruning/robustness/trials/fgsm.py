"""The fast gradient sign method (Goodfellow et al. 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from pruning.robustness.level import Level
from pruning.robustness.trial import Trial

if TYPE_CHECKING:
    from pruning.robustness.attack import Seen
    from pruning.robustness.bench import Bench, Chunk


@dataclass(frozen=True)
class Fgsm(Trial):
    """u + level x sign(dL_i/du), clipped to the inputs' range: one step of that size, wherever it leads."""

    name: ClassVar[str] = "fgsm"
    meaning: ClassVar[str] = "one step along the gradient's sign (FGSM)"
    strength: ClassVar[str] = "radius of the l-infinity ball"

    levels: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1, 0.2)
    """radii, in units of the inputs before --mean and --std"""

    def measure(self, bench: Bench, levels: Sequence[float], seed: int) -> list[Level]:  # noqa: ARG002
        from pruning.robustness.attack import Ball, ascent

        def step(chunk: Chunk, level: float, _: Seen | None) -> Seen:
            ball = Ball(chunk.points, level, bench.scale)
            *_start, end = ascent(bench.target, chunk.y, ball, chunk.points, steps=1, step=level)
            return end

        return [Level(*each) for each in bench.attacked(levels, step)]
