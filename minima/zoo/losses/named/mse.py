"""Mean squared error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from minima.zoo.losses.loss import Loss, Terms
from minima.zoo.losses.numbers import check_numbers, shaped_like, spread, themselves
from minima.zoo.losses.score import Determination

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class MeanSquaredError(Loss):
    """s_i = mean over an example's outputs of (z - y)^2, w_i = 1; half of it with `half`.

    >>> import torch
    >>> MeanSquaredError().terms(torch.tensor([[1.0, 3.0]]), torch.tensor([[0.0, 0.0]])).sums
    tensor([5.], dtype=torch.float64)
    """

    name: ClassVar[str] = "mse"
    summary: ClassVar[str] = "mean over an example's outputs of (z - y)^2; targets shaped like the outputs"

    half: bool = False
    """times 1/2"""

    def targets_of(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, str] | None:
        """The inputs themselves where a file holds no targets, as for an autoencoder."""
        return themselves(inputs)

    def check(self, outputs: Tensor, targets: Any) -> None:
        """Refuse targets that are not shaped like the outputs, or not finite."""
        check_numbers(outputs, targets, "mse")

    def terms(self, outputs: Tensor, targets: Any) -> Terms:
        """The mean squared error of each example (N,), halved where asked for."""
        each = (outputs - shaped_like(targets, outputs)).square().reshape(len(outputs), -1)
        return Terms(each.double().mean(1) * (0.5 if self.half else 1.0), None)

    def score(self, targets: Any) -> Determination:
        """R^2 over all outputs, each about its own mean."""
        return Determination(spread(targets))

    def notes(self, outputs: Tensor, targets: Any) -> list[str]:
        """Whether a single output was matched to targets without that axis."""
        if tuple(outputs.shape) != tuple(targets[: len(outputs)].shape):
            return [
                f"outputs {tuple(outputs.shape[1:])} and targets {tuple(targets.shape[1:])} count as the same shape"
            ]
        return []
