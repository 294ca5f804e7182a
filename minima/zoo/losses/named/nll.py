"""Negative log-likelihood of log-probabilities, or of probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from minima.store.command import BadInput
from minima.zoo.losses.classification import check_labels, class_weights, find_axis, label_weights, positions, right
from minima.zoo.losses.loss import Loss, Terms
from minima.zoo.losses.probabilities import sum_to_one
from minima.zoo.losses.score import Accuracy

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class NegativeLogLikelihood(Loss):
    """s_i = sum over counted positions of -w_y z_y, z being log-probabilities; w_i = sum over counted positions of w_y.

    With `outputs` = probabilities z is their logarithm. Targets are class indices, as for cross-entropy.

    >>> import torch
    >>> NegativeLogLikelihood(outputs="probabilities").terms(torch.tensor([[0.5, 0.5]]), torch.tensor([0])).sums
    tensor([0.6931], dtype=torch.float64)
    """

    name: ClassVar[str] = "nll"
    summary: ClassVar[str] = "of log-probabilities (outputs=probabilities: of probabilities) and class indices, in nats"
    unit: ClassVar[str] = "nat"

    outputs: Literal["log-probabilities", "probabilities"] = "log-probabilities"
    """what the network puts out"""
    class_axis: int | None = None
    """of the outputs: 1, or the last where only that fits"""
    weight: tuple[float, ...] = ()
    """of each class, joined by x"""
    ignore_index: int = -100
    """the label of positions that do not count"""

    def check(self, outputs: Tensor, targets: Any) -> None:
        """Refuse outputs that are no (log-)probabilities, and targets that are no class indices."""
        if targets.is_floating_point():
            raise BadInput("--loss nll takes class indices (integers) as targets, and these are floats")
        axis = find_axis(outputs, targets, self.class_axis)
        check_labels(targets, outputs.shape[axis], self.name, self.ignore_index)
        class_weights(self.weight, outputs.shape[axis], outputs)
        probabilities = self.outputs == "probabilities"
        if not sum_to_one(outputs if probabilities else outputs.double().exp(), axis):
            other = "nll" if probabilities else "nll:outputs=probabilities"
            raise BadInput(
                f"--loss nll expects {self.outputs}, and the outputs are none: their "
                f"{'sums' if probabilities else 'exponentials'} along axis {axis} do not come to 1.\n"
                f"Type --loss cross-entropy for logits, or --loss {other}"
            )

    def terms(self, outputs: Tensor, targets: Any) -> Terms:
        """The sums s_i (n,) and weights w_i (n,) of these examples."""
        from torch.nn.functional import nll_loss

        found = positions(outputs, targets, self.class_axis, self.ignore_index)
        logs = found.logits.log() if self.outputs == "probabilities" else found.logits
        weight = class_weights(self.weight, logs.shape[1], logs)
        each = nll_loss(logs, found.labels, weight=weight, reduction="none")
        return Terms(found.sum(each), self.weights(outputs, targets))

    def weights(self, outputs: Tensor, targets: Any) -> Tensor | None:
        """The weights of the labels at the counted positions of each example, summed."""
        return label_weights(outputs, targets, self.class_axis, self.ignore_index, self.weight)

    def score(self, targets: Any) -> Accuracy:
        """The share of counted positions that are right."""
        return Accuracy(lambda outputs, some: right(positions(outputs, some, self.class_axis, self.ignore_index)))
