"""Binary cross-entropy of logits, or of probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from minima.store.command import BadInput
from minima.zoo.losses.loss import Loss, Terms
from minima.zoo.losses.numbers import check_numbers, pieces, shaped_like, themselves
from minima.zoo.losses.probabilities import within_zero_and_one
from minima.zoo.losses.score import Accuracy

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """s_i = mean over an example's outputs of -(p y log s(z) + (1 - y) log(1 - s(z))), s the sigmoid, in nats; w_i = 1.

    p = `pos_weight` of each output. With `outputs` = probabilities z is s(z) already. Targets are 0, 1 or in between.

    >>> import torch
    >>> BinaryCrossEntropy().terms(torch.zeros(1, 3), torch.tensor([[0, 1, 1]])).sums
    tensor([0.6931], dtype=torch.float64)
    """

    name: ClassVar[str] = "bce"
    summary: ClassVar[str] = "binary cross-entropy of logits with targets in [0, 1], mean over the outputs, in nats"
    unit: ClassVar[str] = "nat"

    outputs: Literal["logits", "probabilities"] = "logits"
    """what the network puts out"""
    pos_weight: tuple[float, ...] = ()
    """of the targets 1 of each output (the second axis), joined by x; or one for all"""

    def targets_of(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, str] | None:
        """The inputs themselves: an autoencoder of what lies between 0 and 1."""
        return themselves(inputs)

    def check(self, outputs: Tensor, targets: Any) -> None:
        """Refuse targets outside [0, 1] or not shaped like the outputs, and outputs that are no probabilities."""
        check_numbers(outputs, targets, self.name)
        outside = next((piece for _, piece in pieces(targets) if not within_zero_and_one(piece)), None)
        if outside is not None:
            raise BadInput(
                f"--loss bce expects targets from 0 to 1, and they go from {outside.min().item()} to "
                f"{outside.max().item()}.\nType --loss mse for numbers, --loss cross-entropy for class indices"
            )
        if self.outputs == "probabilities" and not within_zero_and_one(outputs):
            raise BadInput("--loss bce:outputs=probabilities: the outputs are not all in [0, 1]. Type --loss bce")
        self._weights(outputs)

    def terms(self, outputs: Tensor, targets: Any) -> Terms:
        """Each example's mean over its outputs."""
        from torch.nn.functional import binary_cross_entropy_with_logits

        wanted = shaped_like(targets, outputs)
        if self.outputs == "probabilities":
            weight = self._weights(outputs)
            positive = -wanted * outputs.log() if weight is None else -weight * wanted * outputs.log()
            each = positive.where(wanted > 0, 0) - ((1 - wanted) * (1 - outputs).log()).where(wanted < 1, 0)
        else:
            weight = self._weights(outputs)
            each = binary_cross_entropy_with_logits(outputs, wanted, reduction="none", pos_weight=weight)
        return Terms(each.double().reshape(len(outputs), -1).mean(1), None)

    def score(self, targets: Any) -> Accuracy:
        """The share of outputs on the right side of logit 0 (probability 0.5)."""
        middle = 0.5 if self.outputs == "probabilities" else 0.0

        def counts(outputs: Tensor, some: Tensor) -> tuple[Tensor, Tensor]:
            hits = ((outputs > middle) == (shaped_like(some, outputs) > 0.5)).reshape(len(outputs), -1)
            return hits.sum(1), hits.sum(1) + (~hits).sum(1)

        return Accuracy(counts)

    def notes(self, outputs: Tensor, targets: Any) -> list[str]:
        """Whether the outputs look like probabilities."""
        if self.outputs == "logits" and within_zero_and_one(outputs):
            return [
                "the outputs all lie in [0, 1]: they look like probabilities, of which bce takes the sigmoid once "
                "more. If they are, type --loss bce:outputs=probabilities"
            ]
        return []

    def _weights(self, outputs: Tensor) -> Tensor | None:
        """`pos_weight`, to be broadcast over outputs (n, K, ...)."""
        import torch

        if not self.pos_weight:
            return None
        count = outputs.shape[1] if outputs.ndim > 1 else 1
        if len(self.pos_weight) not in (1, count) or min(self.pos_weight) < 0:
            raise BadInput(
                f"pos_weight={'x'.join(map(str, self.pos_weight))}: expected one number, or one for each of the "
                f"{count} outputs, none negative"
            )
        weight = torch.tensor(self.pos_weight, dtype=outputs.dtype, device=outputs.device)
        return weight.view(-1, *[1] * (outputs.ndim - 2)) if len(self.pos_weight) > 1 else weight
