"""What a loss is measured on: inputs that fit the network, and targets that fit its outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from landscape.objective.repeatable import Watch, check_repeatable
from minima.store.command import BadInput
from minima.zoo.examples.inputs import Inputs, as_inputs, dtypes
from minima.zoo.examples.targets import own_targets
from minima.zoo.examples.task import Task
from minima.zoo.losses.loss import Loss
from minima.zoo.losses.named.cross_entropy import CrossEntropy
from minima.zoo.losses.own import OwnLoss

FEW = 16
"""examples that tell whether a network is repeatable, and what it returns"""
DRAWN = 64
"""examples that tell whether a user's loss is a mean over examples"""


def examples_of(x: Any, y: Any, loss: Loss) -> tuple[Inputs, Any]:
    """Inputs and targets, each with what belongs to it; where there are no targets, those that the loss makes of x."""
    x = as_inputs(x)
    if not len(x):
        raise BadInput("there are no examples to measure the loss on")
    made = own_targets(loss, x) if y is None else (y, "")
    if made is None:
        raise BadInput(
            f"there are no targets y, and the loss {loss.name} is measured by them. Put them into the data: y_train, "
            "or the entry labels.\nType --loss mse where the inputs are the targets, --loss next-token for tokens"
        )
    y = made[0]
    if len(y) != len(x):
        raise BadInput(f"there are {len(x):,} inputs x and {len(y):,} labels y: expected one label for each input")
    return x, y


def as_loss(loss: Loss | Callable[[Any, Any], Any] | None) -> Loss:
    """Cross-entropy where none is given; a function of outputs and targets as a loss of the user's own."""
    if loss is None:
        return CrossEntropy()
    return loss if isinstance(loss, Loss) else OwnLoss(loss)


def settled(task: Task, model: nn.Module, network: Callable[[Inputs], Any], x: Inputs, y: Any) -> tuple[Task, Any]:
    """The task as it suits the network, and its outputs for a few examples; `network` is `model` at its weights.

    Raises:
        BadInput: targets that do not fit, or a loss that is no function of the weights.
    """
    some = _drawn(y) if isinstance(task.loss, OwnLoss) else torch.arange(min(FEW, len(x)))
    some = some.to(x.device)
    with Watch(model, x.device):
        returned = _first_outputs(network, x[some])
        task = task.checked(returned, y, y[some])

    def losses(inputs: Inputs, targets: Any) -> Tensor:
        return task.terms(task.picked(network(inputs)), targets).sums

    check_repeatable(model, losses, x[:FEW], y[:FEW])
    return task, task.picked(returned)


def _drawn(y: Any) -> Tensor:
    """(n,) indices of examples at random, those of the rarest labels among them, where there are labels."""
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(len(y), generator=generator)
    if torch.is_tensor(y) and y.ndim == 1 and not y.is_floating_point():
        _, places, counts = y.cpu().unique(return_inverse=True, return_counts=True)
        rarest = counts.argsort()[:2]
        rare = torch.cat([order[places[order] == label][: DRAWN // 8] for label in rarest])
        order = torch.cat([rare, order])
    return torch.tensor(list(dict.fromkeys(order[: 2 * DRAWN].tolist()))[:DRAWN])


def _first_outputs(network: Callable[[Inputs], Any], x: Inputs) -> Any:
    """The network's outputs; integers that it does not take are said to be that."""
    try:
        return network(x)
    except RuntimeError as error:
        if x.is_floating_point():
            raise
        raise BadInput(
            f"x holds integers ({dtypes(x)}), which the network does not take: {str(error).splitlines()[0]}.\n"
            "Give it what it was trained on, such as x.float() / 255 for images of 8 bits"
        ) from error
