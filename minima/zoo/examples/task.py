"""What a network is asked for: which of its outputs, and by which loss they are judged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput
from minima.zoo.examples.inputs import Inputs, call
from minima.zoo.examples.outputs import describe, pick
from minima.zoo.losses.loss import Loss, Terms
from minima.zoo.losses.named.cross_entropy import CrossEntropy
from minima.zoo.losses.own import OwnLoss

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Task:
    """A loss of one of the network's outputs; by default cross-entropy of its logits."""

    loss: Loss = field(default_factory=CrossEntropy)
    output: str | None = None
    """a name or a place, where the network returns several"""
    whole: bool = False
    """whether the loss is given all that the network returns (a loss of the user's that takes nothing less)"""

    @property
    def needs_pass(self) -> bool:
        """Whether only a pass over the examples tells their weights."""
        return isinstance(self.loss, OwnLoss) and self.loss.weighs

    def outputs(self, model: nn.Module, x: Inputs) -> Any:
        """What the network makes of inputs x (n, ...): the output that is measured."""
        return self.picked(call(model, x))

    def picked(self, returned: Any) -> Any:
        """The output that is measured, out of what a network returned."""
        return returned if self.whole else pick(returned, self.output)

    def checked(self, returned: Any, targets: Any, some: Any) -> Task:
        """The task as it suits what the network returned for a few examples.

        Args:
            returned: by the network, for those examples.
            targets: of all examples, (N, ...).
            some: of those few.

        Raises:
            BadInput: targets or outputs do not fit the loss.
        """
        if not isinstance(self.loss, OwnLoss):
            self.loss.check(self.picked(returned), targets)
            return self
        failure: Exception | None = None
        for task in (self, replace(self, whole=True)):  # the second is for a loss that looks for its outputs itself
            try:
                found = task.picked(returned)
                self.loss.function(found, some)
            except Exception as error:  # the user's own code may raise anything
                failure = failure or error
                continue
            self.loss.check(found, some)
            return task
        assert failure is not None
        if isinstance(failure, BadInput):
            raise failure
        raise BadInput(
            f"the loss {self.loss.called} failed on outputs {describe(self.picked(returned))} and targets "
            f"{describe(some)}: {type(failure).__name__}: {failure}"
        ) from failure

    def terms(self, outputs: Any, y: Any) -> Terms:
        """What the examples contribute to the loss."""
        return self.loss.terms(outputs, y)

    def summed(self, returned: Any, y: Any) -> Tensor:
        """sum_i s_i of examples for which a network returned this."""
        return self.terms(self.picked(returned), y).sums.sum()

    def mean(self, model: nn.Module, x: Inputs, y: Any) -> Tensor:
        """The loss over these examples alone, with its graph: what training goes down."""
        return self.loss.mean(self.outputs(model, x), y)


CLASSIFICATION = Task()
"""the task where none is said"""
