"""A network's head, the last linear operation: the features that enter it, and a copy with a fresh one."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from minima.store.command import BadInput
from minima.zoo.anatomy.operations import OPERANDS
from minima.zoo.anatomy.tape import Listener, Operation, Recorder, Value
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.functional import by_place
from minima.zoo.examples.outputs import pick
from minima.zoo.seeds import derive


@dataclass(frozen=True)
class Head:
    """Where the weights of the last linear layer are, by parameter name."""

    weight: str
    bias: str | None
    features: int
    """that enter it"""


class _LastLinear(Listener):
    """Keeps the last linear operation, and what entered it."""

    def __init__(self) -> None:
        self.operation: Operation | None = None
        self.entered: Any = None

    def after(self, operation: Operation) -> None:
        """Forget those before it."""
        if operation.name == "linear":
            entered = operation.given("input")["input"]
            self.operation, self.entered = operation, entered.tensor if isinstance(entered, Value) else entered


def find_head(model: nn.Module, x: Tensor) -> Head:
    """The head of `model`, seen in a forward pass over x (N, ...); d features enter it.

    Raises:
        BadInput: the network does not end in a linear layer, or its weights are not parameters of their own, or used
            elsewhere as well.

    >>> net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> find_head(net, torch.zeros(1, 3))
    Head(weight='2.weight', bias='2.bias', features=4)
    """
    operation, entered = _last(model, x)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    _, *given = operation.given(*OPERANDS).values()
    found = [each for each in given if each is not None]
    missing = [tuple(each.shape) for each in found if id(each) not in names]
    if missing:
        raise BadInput(
            f"the last linear layer computes its weights {missing[0]} from others, so it cannot be replaced.\n"
            "Leave fine-tuning out with --epochs 0"
        )
    weight, *bias = (names[id(each)] for each in found)
    places = sorted(by_place(model, {name: model.get_parameter(name) for name in (weight, *bias)}))
    if len(places) > len(found):
        raise BadInput(
            f"the last linear layer shares a weight with another ({', '.join(places)}), so it cannot be replaced "
            "alone.\nLeave fine-tuning out with --epochs 0"
        )
    return Head(weight, bias[0] if bias else None, entered.shape[1])


def features(model: nn.Module, x: Tensor, batch_size: int) -> Tensor:
    """What enters the last linear operation of `model` in eval mode, for x (N, ...): (N, d).

    >>> net = nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Linear(3, 2))
    >>> features(net, torch.tensor([[-1.0, 2.0, 0.5]]), batch_size=10)
    tensor([[0.0000, 2.0000, 0.5000]])
    """
    return torch.cat([_last(model, part)[1] for part in x.split(batch_size)])


def feature_count(model: nn.Module, x: Tensor) -> int:
    """How many features enter the last linear operation of `model`, seen in a forward pass over x (N, ...)."""
    return int(_last(model, x)[1].shape[1])


def with_fresh_head(model: nn.Module, head: Head, classes: int, seed: int) -> nn.Module:
    """A copy of `model` whose head has an output for each of `classes` and weights drawn as `nn.Linear` draws them."""
    copy = deepcopy(model)
    like = copy.get_parameter(head.weight)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "head"))
        fresh = nn.Linear(head.features, classes, bias=head.bias is not None).to(like)
    for name, parameter in ((head.weight, fresh.weight), (head.bias, fresh.bias)):
        if name is not None:
            owner, _, leaf = name.rpartition(".")
            setattr(copy.get_submodule(owner), leaf, parameter)
    return copy


def _last(model: nn.Module, x: Tensor) -> tuple[Operation, Tensor]:
    """The last linear operation over x, whose result has the shape of the output, and what enters it."""
    last = _LastLinear()
    with evaluating(model):
        output = pick(Recorder(model, last).run(x))
    made = None if last.operation is None else last.operation.made[0]
    if last.operation is None or made is None or made.shape != output.shape or made.ndim != 2:
        found = "none" if made is None else f"one with a result of shape {tuple(made.shape)}"
        raise BadInput(
            f"the network's output has shape {tuple(output.shape)} and should come from a linear layer, "
            f"but the last one found is {found}: there are no features for a probe"
        )
    return last.operation, last.entered
