"""Cross-entropy with the scale of the logits taken out of it, or set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from minima.store.command import BadInput
from minima.zoo.losses.classification import rows_of
from minima.zoo.losses.loss import Loss, Terms
from minima.zoo.losses.named.cross_entropy import CrossEntropy
from minima.zoo.losses.score import Accuracy

SMALLEST_NORM = 1e-10


@dataclass(frozen=True)
class ScaledCrossEntropy(Loss):
    """Cross-entropy of s(z) / T in nats, z being logits (N, C).

    T: `temperature`. s(z) = z or, with `normalised`, (z - mean z) / ||z - mean z||, each example's logits centred and
    of norm 1, as Andriushchenko et al. (2023) do: then large weights in the last layer cannot flatten the loss.

    >>> loss = ScaledCrossEntropy(temperature=2.0)
    >>> loss.terms(torch.tensor([[2.0, 0.0]]), torch.tensor([0])).sums
    tensor([0.3133], dtype=torch.float64)
    """

    temperature: float = 1.0
    normalised: bool = False
    loss: CrossEntropy = field(default_factory=CrossEntropy)
    """of the scaled logits"""

    @staticmethod
    def of(loss: Loss, temperature: float, normalised: bool) -> Loss:
        """A loss with the scale of its logits set; the loss itself where that changes nothing.

        Raises:
            BadInput: it is no cross-entropy of logits.
        """
        if temperature == 1 and not normalised:
            return loss
        if not isinstance(loss, CrossEntropy):
            flag = "--logits normalised" if normalised else f"--temperature {temperature}"
            raise BadInput(f"{flag} scales the logits of a cross-entropy, and the loss is {loss.name}. Leave it out")
        return ScaledCrossEntropy(temperature, normalised, loss)

    @property
    def name(self) -> str:  # type: ignore[override]
        """The name of the loss of the scaled logits."""
        return self.loss.name

    @property
    def unit(self) -> str:  # type: ignore[override]
        """The unit of the loss whose logits are scaled; the scaling leaves it as it is."""
        return self.loss.unit

    def check(self, outputs: Tensor, targets: Any) -> None:
        """Refuse outputs and targets that the loss of the logits themselves refuses, and outputs of more than one
        vector for each example.
        """
        self.loss.check(outputs, targets)
        if outputs.ndim != 2:
            raise BadInput(
                f"logits are scaled example by example, (N, C), and the outputs are {rows_of(outputs.shape[1:])}.\n"
                "Leave --temperature and --logits out"
            )

    def terms(self, outputs: Tensor, targets: Any) -> Terms:
        """The terms of the loss, example by example, of the scaled logits."""
        return self.loss.terms(self._scaled(outputs), targets)

    def weights(self, outputs: Tensor, targets: Any) -> Tensor | None:
        """The examples' weights in the mean, which are those of the loss of the logits themselves."""
        return self.loss.weights(outputs, targets)

    def score(self, targets: Any) -> Accuracy:
        """The score of the outputs, which the scale of the logits does not change."""
        return self.loss.score(targets)

    def _scaled(self, logits: Tensor) -> Tensor:
        if self.normalised:
            centred = logits - logits.mean(dim=-1, keepdim=True)
            logits = centred / torch.linalg.vector_norm(centred, dim=-1, keepdim=True).clamp_min(SMALLEST_NORM)
        return logits / self.temperature


def temperature_of(loss: Loss) -> float:
    """The temperature that a loss divides the logits by; 1 for one that does not."""
    return loss.temperature if isinstance(loss, ScaledCrossEntropy) else 1.0
