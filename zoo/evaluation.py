"""Loss and accuracy of a classifier over a split."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.batches import batches

if TYPE_CHECKING:
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

    def evaluation(self) -> Evaluation:
        """Of all batches so far."""
        return Evaluation(float(self._loss) / self._samples, int(self._correct) / self._samples, self._samples)


def evaluate(model: nn.Module, x: Tensor, y: Tensor, batch_size: int | None = None) -> Evaluation:
    """Cross-entropy (sum in float64 / N, nats) and accuracy of `model` in eval mode on x (N, ...), labels y (N,)."""
    import torch

    level = Level()
    with evaluating(model), torch.no_grad():
        for inputs, labels in batches(x, y, batch_size):
            level.add(model(inputs), labels)
    return level.evaluation()
