"""Loss and accuracy of a classifier over a split."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from minima.zoo.batches import batches
from minima.zoo.ranks import ALONE, Ranks

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


@dataclass(frozen=True)
class Evaluation:
    """Mean cross-entropy in nats, accuracy as a fraction, and the number of examples behind both."""

    loss: float
    accuracy: float
    samples: int


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Eval mode for every module inside the block; each module's own mode is restored after it."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


class Level:
    """Loss and accuracy of outputs that come in batches; the sums are on the outputs' device."""

    def __init__(self) -> None:
        self._loss: Tensor | float = 0.0
        self._correct: Tensor | int = 0
        self._samples = 0

    def add(self, logits: Tensor, labels: Tensor) -> None:
        """Take in the logits (n, C) of a batch with labels (n,)."""
        from torch.nn.functional import cross_entropy

        self._loss = self._loss + cross_entropy(logits, labels, reduction="none").double().sum()
        self._correct = self._correct + (logits.argmax(1) == labels).sum()
        self._samples += len(labels)

    def evaluation(self, ranks: Ranks = ALONE, device: torch.device | None = None) -> Evaluation:
        """Of all batches so far, those of all `ranks`, who talk over `device`."""
        import torch

        sums = [float(self._loss), float(self._correct), self._samples]
        loss, correct, samples = ranks.sum(torch.tensor(sums, dtype=torch.float64, device=device)).tolist()
        return Evaluation(loss / samples, correct / samples, int(samples))


def evaluate(model: nn.Module, x: Tensor, y: Tensor, batch_size: int | None = None, ranks: Ranks = ALONE) -> Evaluation:
    """Cross-entropy (sum in float64 / N, nats) and accuracy of `model` in eval mode on x (N, ...), labels y (N,).

    Several `ranks` share the examples.
    """
    import torch

    level, own = Level(), ranks.share(len(x))
    with evaluating(model), torch.no_grad():
        for inputs, labels in batches(x[own], y[own], batch_size):
            if len(inputs):
                level.add(model(inputs), labels)
    return level.evaluation(ranks, x.device)
