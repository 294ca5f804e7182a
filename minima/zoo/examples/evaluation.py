"""Loss and score of a network over a split."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minima.zoo.examples.batches import batches
from minima.zoo.examples.inputs import part_of
from minima.zoo.examples.task import CLASSIFICATION, Task
from minima.zoo.examples.untouched import keeping_buffers
from minima.zoo.losses.score import NoScore, Score
from minima.zoo.ranks import ALONE, Ranks

if TYPE_CHECKING:
    import torch
    from torch import nn

    from minima.zoo.examples.inputs import Inputs


@dataclass(frozen=True)
class Evaluation:
    """The mean loss L = sum_i s_i / sum_i w_i over some examples, the score beside it (such as accuracy, a fraction),
    and the number of examples behind both.
    """

    loss: float
    score: float
    """NaN where there is none, or where it has no meaning"""
    samples: int
    score_name: str | None = "accuracy"

    @property
    def accuracy(self) -> float:
        """The score where it is a share of right answers, as a fraction; NaN elsewhere."""
        return self.score if self.score_name == "accuracy" else math.nan

    def said(self) -> dict[str, Any]:
        """Loss, accuracy, score and its name, as in the JSON object of a command."""
        return {
            "loss": self.loss,
            "accuracy": self.accuracy,
            "score": self.score,
            "score_name": self.score_name,
        }

    def summary(self) -> dict[str, Any]:
        """Loss, accuracy and number of examples as the metrics of a checkpoint; another score stands beside them."""
        own = {"loss": self.loss, "accuracy": self.accuracy, "samples": self.samples}
        return own if self.score_name == "accuracy" else own | {"score": self.score, "score_name": self.score_name}


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Eval mode for every module inside the block; each module's own mode is restored after it.

    Passes leave weights and buffers as they are: rows of an embedding are shortened to `max_norm` in a copy.
    """
    from minima.zoo.examples.renormalising import Renormalising, renormalises

    modes = [(module, module.training) for module in model.modules()]
    model.eval()  # in eval mode already as well: a module may make something of its weights whenever it is called
    try:
        with keeping_buffers(model), Renormalising() if renormalises(model) else nullcontext():
            yield
    finally:
        for module, training in modes:
            module.training = training


class Level:
    """Loss and score of outputs that come in batches; the sums are on the outputs' device.

    `y`: the targets of all examples, which a score may need to know (R^2 their spread).
    """

    def __init__(self, y: Any, task: Task = CLASSIFICATION) -> None:
        self.task = task
        self.score: Score = NoScore() if y is None else task.loss.score(y)
        self._sums: Any = 0.0
        """(3 + width,): of losses, of weights, of examples, and those of the score"""

    def add(self, outputs: Any, targets: Any) -> None:
        """Take in the outputs (n, ...) of a batch with targets (n, ...)."""
        import torch

        sums, weights = self.task.terms(outputs, targets)
        count = sums.new_tensor(float(len(sums)))
        own = torch.stack([sums.sum(), count if weights is None else weights.sum(), count])
        self._sums = self._sums + torch.cat([own, self.score.sums(outputs, targets).to(own).sum(0)])

    def evaluation(self, ranks: Ranks = ALONE, device: torch.device | None = None) -> Evaluation:
        """The level over all batches so far, those of all `ranks` together, which talk over `device`."""
        import torch

        own = self._sums if torch.is_tensor(self._sums) else torch.zeros(3 + self.score.width, dtype=torch.float64)
        sums = ranks.sum(own.to(device))
        loss, weight, samples = sums[:3].tolist()
        if not weight:
            return Evaluation(math.nan, math.nan, int(samples), self.score.name)
        return Evaluation(loss / weight, self.score.value(sums[3:]), int(samples), self.score.name)


def evaluate(
    model: nn.Module,
    x: Inputs,
    y: Any,
    batch_size: int | None = None,
    ranks: Ranks = ALONE,
    task: Task = CLASSIFICATION,
) -> Evaluation:
    """Loss (sums in float64) and score of `model` in eval mode on x (N, ...) with targets y (N, ...).

    Several `ranks` share the examples.
    """
    import torch

    level, own = Level(y, task), ranks.share(len(x))
    with evaluating(model), torch.no_grad():
        for inputs, targets in batches(part_of(x, own), part_of(y, own), batch_size):
            level.add(task.outputs(model, inputs), targets)
    return level.evaluation(ranks, x.device)
