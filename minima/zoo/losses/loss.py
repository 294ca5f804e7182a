"""What a loss is: a frozen dataclass that turns outputs and targets into a sum and a weight for each example."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from minima.store.registry import members

if TYPE_CHECKING:
    from torch import Tensor

    from minima.zoo.losses.score import Score


class Terms(NamedTuple):
    """What the examples of a chunk contribute to L = sum_i s_i / sum_i w_i."""

    sums: Tensor
    """(n,) s_i in float64"""
    weights: Tensor | None
    """(n,) w_i in float64; None where each is 1"""


@dataclass(frozen=True)
class Loss:
    """Base of the members of minima/zoo/losses/named; a member's fields are what `--loss NAME:key=value` may set.

    The objective is L = sum_i s_i / sum_i w_i over all examples used, whatever the chunks that they come in. The
    weights do not depend on the network's parameters, so that gradient and Hessian are those of the s_i, divided by
    the weights' sum.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    """what it is, in a line of a help text"""
    unit: ClassVar[str] = "1"
    """of the loss: nat, or 1"""

    def targets_of(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, str] | None:
        """Targets (n, ...) for data without any, and what is said of them; None where the loss has no such targets.

        `inputs`: tensors (n, ...) by the names that the network knows them by; a single one has the name "".
        """
        return None

    def check(self, outputs: Tensor, targets: Any) -> None:
        """Refuse targets that do not fit the outputs.

        Args:
            outputs: the network's output for the first few examples, (n, ...).
            targets: of all examples, (N, ...).

        Raises:
            BadInput: what was found, what is expected, and what to type.
        """
        raise NotImplementedError

    def terms(self, outputs: Tensor, targets: Any) -> Terms:
        """The s_i (n,) and w_i (n,) of the examples with these outputs (n, ...) and targets (n, ...), as `Terms`."""
        raise NotImplementedError

    def weights(self, outputs: Tensor, targets: Any) -> Tensor | None:
        """(N,) the w_i of examples with these targets (N, ...), in float64; None where each is 1.

        `outputs`: of any examples, for the shape of a row.
        """
        return None

    def mean(self, outputs: Tensor, targets: Any) -> Tensor:
        """L over these examples alone, in the outputs' own data type: what a training step goes down.

        0, with gradients of 0, where none of them has any weight: a batch whose positions are all left out.
        """
        sums, weights = self.terms(outputs, targets)
        total = len(sums) if weights is None else weights.sum().clamp(min=sys.float_info.min)
        return (sums.sum() / total).to(_dtype(outputs, sums))

    def summed(self, outputs: Tensor, targets: Any) -> Tensor:
        """The sum of the s_i of these examples, in the outputs' own data type."""
        sums = self.terms(outputs, targets).sums
        return sums.sum().to(_dtype(outputs, sums))

    def score(self, targets: Any) -> Score:
        """The score that is reported beside the loss, as accuracy is; `targets` (N, ...) are those of all examples."""
        raise NotImplementedError

    def notes(self, outputs: Tensor, targets: Any) -> list[str]:
        """What is worth saying of outputs (n, ...) and targets that fit, such as outputs that are probabilities."""
        return []


def _dtype(outputs: Any, sums: Tensor) -> Any:
    """The data type of outputs; that of the sums where a loss is given several outputs."""
    return getattr(outputs, "dtype", sums.dtype)


def losses() -> dict[str, type[Loss]]:
    """Every loss by the name that `--loss NAME` and `parse_loss` know it by."""
    return members("minima.zoo.losses.named", Loss)
