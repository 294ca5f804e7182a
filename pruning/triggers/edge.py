"""Cut when training has reached the edge of stability (Cohen et al. 2021)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from landscape.objective.streams import stream
from minima.store.command import BadInput
from pruning.triggers.trigger import Trigger

if TYPE_CHECKING:
    from pruning.context.context import Context

TOLERANCE = 1e-2
"""relative error of the eigenvalue: training hovers around the edge by more"""


@dataclass(frozen=True)
class Edge(Trigger):
    """Fires when lambda_max(H) + weight decay reaches `fraction` of the curvature the next step bears: 2 / lr, with
    momentum b (2 + 2b) / lr. H: the Hessian of the mean loss of the first `samples` training examples over the
    survivors, in eval mode, by Lanczos."""

    fraction: float = 1.0
    samples: int = 1000

    def __post_init__(self) -> None:
        if not 0 < self.fraction < float("inf"):
            raise BadInput(f"--fraction {self.fraction}: expected a positive part of the largest stable curvature")
        if self.samples < 1:
            raise BadInput(f"--samples {self.samples}: expected at least 1 example")

    def fires(self, context: Context) -> bool:
        from landscape.stability.threshold import threshold

        if context.recipe.optimiser != "sgd":
            raise BadInput("--when edge: the largest stable curvature is known for sgd only; give --optimiser sgd")
        bound = threshold(context.recipe, context.rate)
        return sharpness(context, self.samples) + context.recipe.weight_decay >= self.fraction * bound


def sharpness(context: Context, samples: int) -> float:
    """The largest eigenvalue of the Hessian of the mean loss over the first `samples` training examples.

    It is over the weights that are left, by Lanczos to a relative error of `TOLERANCE`, in the unit of the loss.
    """
    from landscape.objective.objective import Objective
    from landscape.spectrum.lanczos import top_eigenpairs

    task, x, y = context.task, context.x[:samples], context.y[:samples]
    objective = Objective(context.model, x, y, loss=task.loss, output=task.output, masks=context.masks)
    draws = stream(context.seed, "edge")
    found = top_eigenpairs(
        objective.hvp, lambda: objective.normal(draws), objective.dimension, top=1, tolerance=TOLERANCE
    )
    return float(found.values[0])
