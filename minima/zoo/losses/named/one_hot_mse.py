"""Mean squared error of class labels: each output against 1 at its example's class and 0 elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from minima.store.command import BadInput
from minima.zoo.losses.classification import check_labels, find_axis, positions, right
from minima.zoo.losses.loss import Loss, Terms
from minima.zoo.losses.score import Accuracy

if TYPE_CHECKING:
    from torch import Tensor

NONE_IGNORED = -1
"""no label at all: every position counts"""


@dataclass(frozen=True)
class OneHotMeanSquaredError(Loss):
    """s_i = mean over an example's outputs of (z - e_y)^2, e_y being 1 at class y and 0 elsewhere; w_i = 1.

    Half of it with `half`. The squared loss of classifiers (Hui and Belkin 2021), with which Cohen et al. 2021 also
    drew the edge of stability; theirs sums over the classes where this takes the mean.

    >>> import torch
    >>> OneHotMeanSquaredError().terms(torch.tensor([[1.0, 3.0]]), torch.tensor([1])).sums
    tensor([2.5000], dtype=torch.float64)
    """

    name: ClassVar[str] = "one-hot-mse"
    summary: ClassVar[str] = "mean over an example's outputs of (z - 1 at its class, 0 elsewhere)^2; class indices"

    half: bool = False
    """times 1/2"""
    class_axis: int | None = None
    """of the outputs: 1, or the last where only that fits"""

    def check(self, outputs: Tensor, targets: Any) -> None:
        """Refuse targets that are no class indices of these outputs."""
        if targets.is_floating_point():
            raise BadInput("--loss one-hot-mse takes class indices (integers), and these are floats. Type --loss mse")
        classes = outputs.shape[find_axis(outputs, targets, self.class_axis)]
        check_labels(targets, classes, self.name)

    def terms(self, outputs: Tensor, targets: Any) -> Terms:
        """The mean squared error of each example (n,), halved where asked for."""
        from torch.nn.functional import one_hot

        found = positions(outputs, targets, self.class_axis, NONE_IGNORED)
        wanted = one_hot(found.labels, found.logits.shape[1]).movedim(-1, 1).to(outputs.dtype)
        each = (found.logits - wanted).square().reshape(len(outputs), -1)
        return Terms(each.double().mean(1) * (0.5 if self.half else 1.0), None)

    def score(self, targets: Any) -> Accuracy:
        """The share of positions whose largest output is at the label."""
        return Accuracy(lambda outputs, some: right(positions(outputs, some, self.class_axis, NONE_IGNORED)))
