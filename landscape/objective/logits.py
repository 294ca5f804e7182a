"""Cross-entropy with the scale of the logits taken out of it, or set."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

SMALLEST_NORM = 1e-10


@dataclass(frozen=True)
class ScaledCrossEntropy:
    """Cross-entropy of s(z) / T in nats, one for each example: logits z (N, C) and labels (N,) -> (N,).

    T: `temperature`. s(z) = z or, with `normalised`, (z - mean z) / ||z - mean z||, each example's logits centred and
    of norm 1, as Andriushchenko et al. (2023) do: then large weights in the last layer cannot flatten the loss.

    >>> loss = ScaledCrossEntropy(temperature=2.0)
    >>> loss(torch.tensor([[2.0, 0.0]]), torch.tensor([0]))
    tensor([0.3133])
    """

    temperature: float = 1.0
    normalised: bool = False

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Each example's loss."""
        if self.normalised:
            centred = logits - logits.mean(dim=-1, keepdim=True)
            logits = centred / torch.linalg.vector_norm(centred, dim=-1, keepdim=True).clamp_min(SMALLEST_NORM)
        return cross_entropy(logits / self.temperature, labels, reduction="none")
