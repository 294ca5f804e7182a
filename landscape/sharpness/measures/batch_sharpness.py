"""The curvature that mini-batch training feels: of a batch's own loss along its own gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from landscape.sharpness.measure import Invariant, Measure, Measured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landscape.objective.objective import Objective


@dataclass(frozen=True)
class BatchSharpness(Measure):
    """E_B g_B.H_B g_B / g_B.g_B: B a random batch, g_B and H_B gradient and Hessian of its own mean loss.

    With stochastic gradient descent of this batch size it settles at 2 / learning rate, lambda_max staying below
    (Andreyev and Beneventano 2024, Edge of Stochastic Stability). The mean is that of the batches' quotients; the
    quotient of the means, E g_B.H_B g_B / E g_B.g_B, stands beside it. A batch has no example twice; batches are drawn
    independently. With batches as large as the data there is one, and it is the curvature along the gradient.

    The error of new examples is that of n / b batches that share no example, an upper bound (Hoeffding 1948: the mean
    over all batches varies at most by b / n of one batch's variance), reached where a quotient is a mean over examples.
    """

    name: ClassVar[str] = "batch_sharpness"
    invariant: ClassVar[Invariant] = "none"
    meaning: ClassVar[str] = "mean curvature of a mini-batch's own loss along its own gradient"
    default: ClassVar[bool] = False

    batch: int = 100
    """examples in a batch; that of the training tells about the training's stability"""
    batches: int = 64
    """random batches"""

    @property
    def passes(self) -> float:
        return 0.25 * self.batches

    def measure(self, objective: Objective, seed: int) -> Measured:
        import math

        from landscape.spectrum.trace import estimate
        from minima.store.command import note

        used, curvatures, squares = len(objective.x), [], []
        if self.batch > used:
            note(f"{self.name}: a batch of {self.batch} is all of the {used} examples used")
        for batch in self._batches(objective, seed):
            gradient = batch.gradient()
            curvatures.append((gradient @ batch.hvp(gradient)).item())
            squares.append((gradient @ gradient).item())
        quotients = [curvature / square for curvature, square in zip(curvatures, squares, strict=True) if square > 0]
        if not quotients:
            return Measured(float("nan"))
        mean, new = estimate(quotients), None
        if mean.stderr is not None:  # a batch's variance among all examples is n / (n - b) of that among these n
            new = mean.stderr * math.sqrt(len(quotients) * self.batch / (used - self.batch))
        return Measured(mean.value, mean.stderr, new, values={"quotient_of_means": sum(curvatures) / sum(squares)})

    def _batches(self, objective: Objective, seed: int) -> Iterator[Objective]:
        """The loss over each batch, made when it is asked for."""
        import torch

        from landscape.objective.streams import stream

        used, generator = len(objective.x), stream(seed, "batch_sharpness")
        objective.release()  # each batch has graphs of its own
        for _ in range(self.batches if self.batch < used else 1):
            drawn = torch.randperm(used, generator=generator)[: self.batch].sort().values
            yield objective.of(drawn.to(objective.x.device))
