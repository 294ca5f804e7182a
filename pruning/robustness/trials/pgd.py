"""Projected gradient ascent on the loss over inputs (Madry et al. 2018)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pruning.robustness.level import Level
from pruning.robustness.trial import Trial

if TYPE_CHECKING:
    from pruning.robustness.attack import Seen
    from pruning.robustness.bench import Bench, Chunk


@dataclass(frozen=True)
class Pgd(Trial):
    """The worst of all points visited within |u' - u| <= level: the example itself, the starts, and the `steps` behind
    each, x <- P(x + a sign(dL_i/dx)) with a = step x level / steps.

    Of each example the largest loss counts, smaller radii included, and its answer is right only if it always was: both
    are monotone in the radius, and no loss lies below that of the example or of a start.
    """

    name: ClassVar[str] = "pgd"
    meaning: ClassVar[str] = "projected gradient ascent (PGD), the worst point"
    strength: ClassVar[str] = "radius of the l-infinity ball"

    levels: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1, 0.2)
    """radii, in units of the inputs before --mean and --std"""
    steps: int = 20
    """gradients of a climb"""
    step: float = 2.5
    """size of a step, in units of level / steps"""
    restarts: int = 1
    """climbs, each from a start of its own"""
    start: Literal["random", "example"] = "random"
    """random: uniform in the ball, by --seed; example: one climb from the example itself"""

    def measure(self, bench: Bench, levels: Sequence[float], seed: int) -> list[Level]:
        from pruning.robustness.attack import Ball, ascent
        from pruning.robustness.draws import for_points

        target = bench.target

        def climb(chunk: Chunk, level: float, weaker: Seen | None) -> Seen:
            ball = Ball(chunk.points, level, bench.scale)
            worst = target.look(chunk.points, chunk.y) if weaker is None else weaker
            for restart in range(1 if self.start == "example" else self.restarts):
                start = chunk.points
                if self.start == "random":
                    start = ball.from_centre(for_points("uniform", start, chunk.rows, seed, "pgd", restart))
                for seen in ascent(target, chunk.y, ball, start, steps=self.steps, step=self.step * level / self.steps):
                    worst = worst.worse(seen, target.score)
            return worst

        return [Level(*each) for each in bench.attacked(levels, climb)]
