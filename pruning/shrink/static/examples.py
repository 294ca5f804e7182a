"""What of a network is the same on all of some examples: values that are always 0, rectifiers that change nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from minima.zoo.anatomy.activation_modules import is_activation_module
from minima.zoo.anatomy.callers import Callers
from minima.zoo.anatomy.operations import in_order, is_activation, operation_name
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import Inputs, called
from pruning.shrink.constants import Read, Reading, read_by

AT_ONCE = 256
"""examples"""


@dataclass(frozen=True)
class Static:
    """What of a network does not change from example to example."""

    zeros: Mapping[str, list[Reading]]
    """weight -> of each time that it is applied, which columns read nothing but zeros (as constants)"""
    idle: tuple[str, ...]
    """modules that are rectifiers and hand on just what they are given"""
    calls: tuple[str, ...] = ()
    """modules in whose code rectifiers that do the same are called: they cannot be put out"""
    on: Mapping[str, list[Tensor]] = field(default_factory=dict)
    """module -> of each activation that it calls, bool of the shape of one example: which entries it hands on as they
    are"""


def on_examples(model: nn.Module, x: Inputs) -> Static:
    """What does not change over the examples x (N, ...), in eval mode.

    >>> net = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1))
    >>> _ = nn.init.ones_(net[0].weight), nn.init.zeros_(net[0].bias)
    >>> on_examples(net, torch.tensor([[1.0], [2.0]])).idle, on_examples(net, torch.tensor([[-1.0]])).idle
    (('1',), ())
    """
    seeing = _Seeing(model)
    with evaluating(model), torch.no_grad(), seeing.callers.followed():
        for chunk in x.split(AT_ONCE):
            seeing.begin()
            with seeing:
                called(model, chunk)
    return seeing.found()


class Seeing(TorchFunctionMode):
    """Looks at what weights read and what rectifiers do; how, members say."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model, self.callers = model, Callers(model)
        self.names = {id(parameter): name for name, parameter in model.named_parameters()}
        self.zeros: dict[str, list[Reading]] = defaultdict(list)
        self.same: dict[str, bool] = {}
        """rectifier -> whether it changed nothing so far"""
        self.on: dict[str, list[Tensor]] = defaultdict(list)
        self.begin()

    def begin(self) -> None:
        """Count anew how often each weight is applied, at the begin of a pass."""
        self.applied: Counter[str] = Counter()

    def record(self, read: Read, zero: Tensor) -> None:
        """Columns that a weight reads nothing but zeros of, in this pass."""
        name = self.names.get(id(read.weight))
        if name is None:
            return
        place = self.applied[name]
        self.applied[name] += 1
        if place < len(self.zeros[name]):
            zero = zero & self.zeros[name].pop(place).constant
        reading = Reading(zero, torch.zeros(len(zero), dtype=torch.float64), read.padded, read.given.get("groups") or 1)
        self.zeros[name].insert(place, reading)

    def rectified(self, same: Tensor) -> None:
        """A rectifier was applied, and changed nothing of these entries of one example."""
        path = self.callers.now.path
        place = self.applied[f"{path}()"]
        self.applied[f"{path}()"] += 1
        self.same[path] = self.same.get(path, True) and bool(same.all()) and place == 0
        if place == len(self.on[path]):
            self.on[path].append(same)
        else:
            before = self.on[path][place]
            self.on[path][place] = before & same if before.shape == same.shape else torch.zeros_like(same)

    def found(self) -> Static:
        """What was the same throughout."""
        idle = [path for path, same in self.same.items() if same]
        modules = [path for path in idle if path and is_activation_module(self.model.get_submodule(path))]
        calls = [path or type(self.model).__name__ for path in idle if path not in modules]
        return Static(dict(self.zeros), tuple(modules), tuple(calls), dict(self.on))


class _Seeing(Seeing):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        func, args = in_order(func, args)
        kwargs, name = kwargs or {}, operation_name(func)
        read = read_by(name, args, kwargs)
        if read is not None and read.values.ndim:
            values = read.values.detach().movedim(read.axis, 0)
            self.record(read, (values.reshape(len(values), -1) == 0).all(1))
        if not is_activation(name, args, kwargs):
            return func(*args, **kwargs)
        given = (args[0] if args else kwargs["input"]).detach().clone()
        result = func(*args, **kwargs)
        self.rectified((given == result).all(0))
        return result
