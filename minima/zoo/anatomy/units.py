"""Which units of a network may be rescaled: what makes them, and what reads them.

Seen in one forward pass by intercepting the operations, so that nothing is registered on the network and whatever code
it is made of may be looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from minima.zoo.anatomy.operations import (
    ACTIVATIONS,
    CLAMPS,
    GEOMETRY,
    OPERANDS,
    POOLS,
    is_activation,
    named,
    operation_name,
)
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import call

WEIGHTED = ("linear", "conv1d", "conv2d", "conv3d")
POSITIVELY_HOMOGENEOUS = frozenset({"relu", "leaky_relu", "prelu", "rrelu", *CLAMPS})
"""activations with phi(a z) = a phi(z) for a > 0; a clamp only where it is a ReLU"""
LINEAR_PER_UNIT = frozenset({*POOLS, "dropout", "dropout2d", "contiguous", "clone", "detach", "to", "float", "double"})
RESHAPES = frozenset({"flatten", "view", "reshape"})


@dataclass
class Group:
    """Units whose scale is one: multiplied where they are made, divided where they are read."""

    size: int
    made: list[str] = field(default_factory=list)
    """parameters with the units along their first axis: weights, biases, gamma and beta of a batch norm"""
    read: list[tuple[str, int]] = field(default_factory=list)
    """weights with the units along their second axis, each as so many neighbouring entries"""
    fixed: bool = False
    """whether the function would change: it goes into something that is not positively homogeneous, say"""


@dataclass(frozen=True)
class Units:
    """What a forward pass shows of the units of a network."""

    groups: list[Group]
    """those that may be rescaled, in forward order"""
    applied: list[str]
    """weights of linear layers and convolutions, in the order in which they are applied"""
    curved: list[str]
    """activations, by operation, that are not positively homogeneous"""


def trace_units(model: nn.Module, x: Tensor) -> Units:
    """Follow the units of `model`, in eval mode, through a forward pass over x (1, ...).

    Units that enter a sum share their scale with those that they are added to. The units of the output, and those that
    enter any operation not known to pass a positive factor on, keep theirs: what is not understood is not rescaled.

    >>> net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    >>> trace_units(net, torch.zeros(1, 3)).groups
    [Group(size=4, made=['0.weight', '0.bias'], read=[('2.weight', 1)], fixed=False)]
    """
    tracer = _Tracer(model)
    with evaluating(model), torch.no_grad(), tracer:
        output = call(model, x)
    tracer.fix(output)
    return Units(tracer.free(), tracer.applied, tracer.curved)


class _Tracer(TorchFunctionMode):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.applied: list[str] = []
        self.curved: list[str] = []
        self._names = {id(parameter): name for name, parameter in model.named_parameters()}
        self._uses: Counter[str] = Counter()
        self._groups: list[Group] = []
        self._joined: dict[int, int] = {}
        """group that became part of another -> that one, by their places in the list"""
        self._places = WeakTensorKeyDictionary()
        """tensor (N, units, ...) or (N, units * k) -> its group's place in the list"""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = kwargs or {}, operation_name(func)
        result = func(*args, **kwargs)
        if not any(torch.is_tensor(leaf) for leaf in tree_leaves(result)):
            return result  # a shape, say
        self._uses.update(self._names[id(leaf)] for leaf in tree_leaves((args, kwargs)) if id(leaf) in self._names)
        if name in ACTIVATIONS and name not in POSITIVELY_HOMOGENEOUS:
            self.curved.append(name)
        if name in WEIGHTED:
            self._weighted(name, _given((*OPERANDS, *GEOMETRY), args, kwargs), result)
        elif name == "batch_norm":
            given = _given(("input", "mean", "variance", "weight", "bias"), args, kwargs)
            self.fix([given["input"]])  # by the running statistics
            self._make(result, given["weight"], given["bias"])
        elif self._tracked((args, kwargs)):
            self._other(name, args, kwargs, result)
        return result

    def fix(self, tensors: Any) -> None:
        """The units in these tensors keep their scale."""
        for tensor in self._tracked(tensors):
            self._group(tensor).fixed = True

    def free(self) -> list[Group]:
        """Groups that nothing fixes, of parameters that are used once."""
        groups = [group for place, group in enumerate(self._groups) if place not in self._joined]
        return [
            group
            for group in groups
            if not group.fixed
            and group.read
            and all(self._uses[name] == 1 for name in (*group.made, *(weight for weight, _ in group.read)))
        ]

    def _weighted(self, name: str, given: dict[str, Any], result: Tensor) -> None:
        """A linear layer or a convolution: reads units, makes others."""
        weight = self._names.get(id(given["weight"]))
        if weight is not None:
            self.applied.append(weight)
        if given["groups"] not in (None, 1) or (name == "linear" and given["input"].ndim != 2):
            self.fix([given["input"]])
            return
        for tensor in self._tracked([given["input"]]):
            group = self._group(tensor)
            if weight is None:
                group.fixed = True
            else:
                group.read.append((weight, given["weight"].shape[1] // group.size))
        self._make(result, given["weight"], given["bias"])

    def _make(self, result: Tensor, weight: Tensor | None, bias: Tensor | None) -> None:
        """Units of their own, if they have weights that are parameters."""
        made = [self._names.get(id(tensor)) for tensor in (weight, bias) if tensor is not None]
        known = [name for name in made if name is not None]
        self._places[result] = len(self._groups)
        self._groups.append(Group(result.shape[1], known, fixed=weight is None or len(known) < len(made)))

    def _other(self, name: str, args: Any, kwargs: Any, result: Any) -> None:
        """Hand the group on where the operation hands factors on; fix it otherwise."""
        inputs = self._tracked((args, kwargs))
        if name == "add" and len(inputs) == 2 and inputs[0].shape == inputs[1].shape == result.shape:
            self._join(*inputs)
        elif not (len(inputs) == 1 and inputs[0] is args[0] and _hands_on(name, args, kwargs, result)):
            self.fix(inputs)
            return
        self._places[result] = self._places[inputs[0]]

    def _join(self, first: Tensor, second: Tensor) -> None:
        kept, gone = self._root(self._places[first]), self._root(self._places[second])
        if kept == gone:
            return
        group, other = self._groups[kept], self._groups[gone]
        group.made += other.made
        group.read += other.read
        group.fixed |= other.fixed or group.size != other.size
        self._joined[gone] = kept

    def _tracked(self, values: Any) -> list[Tensor]:
        return [leaf for leaf in tree_leaves(values) if torch.is_tensor(leaf) and leaf in self._places]

    def _group(self, tensor: Tensor) -> Group:
        return self._groups[self._root(self._places[tensor])]

    def _root(self, place: int) -> int:
        while place in self._joined:
            place = self._joined[place]
        return place


def _given(names: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by name, None where there are none."""
    return dict.fromkeys(names) | named(names, args, kwargs)


def _hands_on(name: str, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> bool:
    """Whether every unit of the first argument is in the result, where it was or spread over neighbours, times it."""
    source = args[0]
    if not torch.is_tensor(result) or result.ndim < 2:
        return False
    kept = result.shape[:2] == source.shape[:2]
    if name in RESHAPES:
        return kept or (result.ndim == 2 and len(result) == len(source))
    if name in POSITIVELY_HOMOGENEOUS:
        return is_activation(name, args, kwargs)
    if name == "mean":
        dims = _given(("input", "dim"), args, kwargs)["dim"]
        return all(dim % source.ndim > 1 for dim in (dims if isinstance(dims, list | tuple) else [dims]))
    return name in LINEAR_PER_UNIT and kept
