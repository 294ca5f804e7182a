"""Cross-entropy of logits, at one position or at many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from minima.store.command import BadInput
from minima.zoo.losses.classification import (
    check_labels,
    class_weights,
    find_axis,
    label_weights,
    positions,
    right,
    rows_of,
)
from minima.zoo.losses.loss import Loss, Terms
from minima.zoo.losses.probabilities import sum_to_one
from minima.zoo.losses.score import Accuracy

if TYPE_CHECKING:
    from torch import Tensor

SUM_TO_ONE = 1e-4
"""how far a row of soft labels may be from a distribution"""


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """s_i = sum over counted positions of (1 - e) w_y (-log p_y) + (e / C) sum_c w_c (-log p_c), in nats.

    p = softmax of the logits along the class axis, e = `label_smoothing`, w = `weight`; w_i = sum over counted
    positions of w_y, so that L is torch's weighted mean over all positions of all examples. Targets are class indices
    (N,), (N, T) or (N, H, W), `ignore_index` at positions that do not count; or distributions of the logits' shape
    (soft labels), each example then having the weight 1 and the mean over its positions as its loss.

    >>> import torch
    >>> CrossEntropy().terms(torch.zeros(2, 4), torch.tensor([0, 3])).sums
    tensor([1.3863, 1.3863], dtype=torch.float64)
    """

    name: ClassVar[str] = "cross-entropy"
    summary: ClassVar[str] = "of logits and class indices, or distributions; the mean over counted positions, in nats"
    unit: ClassVar[str] = "nat"

    class_axis: int | None = None
    """of the outputs: 1, or the last where only that fits"""
    label_smoothing: float = 0.0
    """e between 0 and 1"""
    weight: tuple[float, ...] = ()
    """of each class, joined by x: 1x19"""
    ignore_index: int = -100
    """the label of positions that do not count"""

    def check(self, outputs: Tensor, targets: Any) -> None:
        """Refuse targets that are neither class indices nor distributions, and parameters that make no sense."""
        if not 0 <= self.label_smoothing < 1:
            raise BadInput(f"label_smoothing={self.label_smoothing}: expected a number from 0 to below 1")
        if outputs.shape[1:].numel() == 1 and not targets.is_floating_point():
            raise BadInput(
                "the network has one logit, of which cross-entropy is 0 whatever its weights.\nType --loss bce"
            )
        if _soft(outputs, targets):
            _check_distributions(outputs, targets, self.class_axis)
            axis = 1 if self.class_axis is None else self.class_axis % outputs.ndim
        elif targets.is_floating_point():
            found = f"{rows_of(targets.shape[1:])}, the outputs {rows_of(outputs.shape[1:])}"
            raise BadInput(
                f"the targets are floats of shape {found}: cross-entropy takes class indices (y.long()), or\n"
                "distributions of the outputs' shape. Type --loss mse for numbers, --loss bce for yes-or-no labels"
            )
        else:
            axis = find_axis(outputs, targets, self.class_axis)
            check_labels(targets, outputs.shape[axis], self.name, self.ignore_index)
        class_weights(self.weight, outputs.shape[axis], outputs)

    def terms(self, outputs: Tensor, targets: Any) -> Terms:
        """The sums s_i (n,) and weights w_i (n,) of these examples."""
        from torch.nn.functional import cross_entropy

        if _soft(outputs, targets):
            return Terms(self._of_distributions(outputs, targets), None)
        found = positions(outputs, targets, self.class_axis, self.ignore_index)
        weight = class_weights(self.weight, found.logits.shape[1], found.logits)
        each = cross_entropy(
            found.logits, found.labels, weight=weight, reduction="none", label_smoothing=self.label_smoothing
        )
        if self._plain(targets):
            return Terms(each.double(), None)
        return Terms(found.sum(each), self.weights(outputs, targets))

    def weights(self, outputs: Tensor, targets: Any) -> Tensor | None:
        """The weights of the labels at the counted positions of each example, summed."""
        if _soft(outputs, targets) or self._plain(targets):
            return None
        return label_weights(outputs, targets, self.class_axis, self.ignore_index, self.weight)

    def mean(self, outputs: Tensor, targets: Any) -> Tensor:
        """The mean over the examples; bit by bit torch's own where there is one class index for each example."""
        from torch.nn.functional import cross_entropy

        if self == CrossEntropy() and outputs.ndim == 2 and targets.ndim == 1:
            return cross_entropy(outputs, targets)
        return super().mean(outputs, targets)

    def summed(self, outputs: Tensor, targets: Any) -> Tensor:
        """The sum over the examples; bit by bit torch's own where there is one class index for each example."""
        from torch.nn.functional import cross_entropy

        if self == CrossEntropy() and outputs.ndim == 2 and targets.ndim == 1:
            return cross_entropy(outputs, targets, reduction="sum")
        return super().summed(outputs, targets)

    def score(self, targets: Any) -> Accuracy:
        """The share of counted positions that are right; of distributions, whose most likely class is."""

        def counts(outputs: Tensor, some: Tensor) -> tuple[Tensor, Tensor]:
            axis, labels = self.class_axis, some
            if _soft(outputs, some):
                labels, axis = some.argmax(1 if axis is None else axis), 1 if axis is None else axis
            return right(positions(outputs, labels, axis, self.ignore_index))

        return Accuracy(counts)

    def notes(self, outputs: Tensor, targets: Any) -> list[str]:
        """Whether the outputs look like probabilities, and one-hot rows are taken for distributions."""
        found = []
        if _soft(outputs, targets) and not targets.is_floating_point():
            found.append("the targets are rows of zeros with a single one: they count as class indices")
        axis = 1 if _soft(outputs, targets) else find_axis(outputs, targets, self.class_axis)
        if sum_to_one(outputs, axis):
            found.append(
                "the outputs are non-negative and sum to 1: they look like probabilities, of which cross-entropy takes "
                "the softmax once more. If they are, type --loss nll:outputs=probabilities"
            )
        return found

    def _plain(self, targets: Tensor) -> bool:
        """Whether every example has the weight 1: one position, no class weights, none left out."""
        return targets.ndim == 1 and not self.weight and not bool((targets == self.ignore_index).any())

    def _of_distributions(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """(n,) the mean over positions of -sum_c q_c log p_c."""
        from torch.nn.functional import cross_entropy

        axis = 1 if self.class_axis is None else self.class_axis
        logits, shares = outputs.movedim(axis, 1), targets.to(outputs.dtype).movedim(axis, 1)
        weight = class_weights(self.weight, logits.shape[1], logits)
        each = cross_entropy(logits, shares, weight=weight, reduction="none", label_smoothing=self.label_smoothing)
        return each.double().reshape(len(outputs), -1).mean(1)


def _soft(outputs: Tensor, targets: Tensor) -> bool:
    """Whether the targets have a number for every logit."""
    return targets.shape[1:] == outputs.shape[1:] and outputs.ndim > 1


def _check_distributions(outputs: Tensor, targets: Tensor, class_axis: int | None) -> None:
    shares = targets.double().movedim(1 if class_axis is None else class_axis, 1)
    if bool((shares < 0).any()) or bool(((shares.sum(1) - 1).abs() > SUM_TO_ONE).any()):
        raise BadInput(
            f"the targets have the outputs' shape {rows_of(outputs.shape[1:])}, but their rows are no "
            "distributions: not all are non-negative and sum to 1.\n"
            "Type --loss bce for several yes-or-no labels, --loss mse for numbers"
        )
