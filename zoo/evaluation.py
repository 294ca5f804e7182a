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


def evaluate(model: nn.Module, x: Tensor, y: Tensor, batch_size: int | None = None) -> Evaluation:
    """Cross-entropy (sum in float64 / N, nats) and accuracy of `model` in eval mode on x (N, ...), labels y (N,)."""
    import torch
    from torch.nn.functional import cross_entropy

    total = torch.zeros((), dtype=torch.float64, device=x.device)
    correct = torch.zeros((), dtype=torch.int64, device=x.device)
    with evaluating(model), torch.no_grad():
        for inputs, labels in batches(x, y, batch_size):
            logits = model(inputs)
            total += cross_entropy(logits, labels, reduction="none").double().sum()
            correct += (logits.argmax(1) == labels).sum()
    return Evaluation(total.item() / len(x), correct.item() / len(x), len(x))
