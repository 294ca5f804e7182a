"""Which weights, and which units, lie on a path from a network's input to its output.

A weight on no path carries nothing of the input to the output: what it reads is constant, or nobody reads what it
adds to. Counting those as removed gives the effective sparsity (Vysogorets & Kempe 2023).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

from minima.store.command import BadInput
from minima.zoo.anatomy.channels import channel_axis
from minima.zoo.anatomy.operations import LAYERS, NEW, in_order, operation_name, writes
from minima.zoo.anatomy.paths.marks import copied, is_mark, is_signal, leaf, marked
from minima.zoo.anatomy.paths.path_rules import RULES, assigned, weighted
from minima.zoo.anatomy.paths.written import SHARING, Written
from minima.zoo.anatomy.prunable import prunable
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.functional import functional_call
from minima.zoo.examples.inputs import Inputs, Several


@dataclass(frozen=True)
class Layer:
    """A weight of a convolution or linear layer, and the units it makes."""

    name: str
    mask: Tensor
    """bool: True = kept"""
    reachable: Tensor
    """bool, of the same shape: kept, and on a path"""
    fed: Tensor
    """(units,) bool: a path from the input leads to the unit"""
    read: Tensor
    """(units,) bool: a path leads from the unit to an output"""
    positions: int
    """multiply-adds a weight takes part in for one example, over all places where the layer is applied"""


def reach(model: nn.Module, shape: tuple[int, ...], masks: Mapping[str, Tensor]) -> list[Layer]:
    """The layers of `model` in the order of its parameters, for inputs of `shape` (without the examples' axis).

    A path ends at any tensor that the network returns, in whatever tuples or dicts. Found by running the network's own
    code once forward and once backward on marks instead of numbers, in eval mode. The values of the weights do not
    matter, only `masks` (True = kept; a weight that has none keeps all). Biases begin no path: a unit that only its
    bias feeds computes a constant. A factor of a normalisation that is exactly zero ends one. Positions are told apart:
    a weight of a convolution that only ever meets padding is on no path.

    Raises:
        BadInput: an operation is not understood, or there is no tensor in what the network returns.

    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> first, second = torch.tensor([[1, 1], [1, 0], [0, 0]]), torch.tensor([[0, 1, 1]])
    >>> masks = {"0.weight": first.bool(), "2.weight": second.bool()}
    >>> [layer.reachable.int().tolist() for layer in reach(net, (2,), masks)]
    [[[0, 0], [1, 0], [0, 0]], [[0, 1, 0]]]
    """
    kept = _kept(model, masks)
    leaves, tracer, output = _run(model, shape, kept)
    results = [use.result for use in tracer.uses]
    inputs = [*leaves.values(), *results]
    ends = [value.sum() for value in tree_leaves(output) if is_mark(value)]
    gradients = torch.autograd.grad(ends, inputs, allow_unused=True) if ends else [None] * len(inputs)
    back = dict(zip(map(id, inputs), gradients, strict=True))
    return [_layer(name, kept[name], back[id(leaves[name])], tracer.uses, back) for name in kept]


def shape_of(x: Inputs) -> tuple[int, ...]:
    """The shape of an input, as paths are followed from it.

    Raises:
        BadInput: tokens, or several tensors, from which they are not.
    """
    if isinstance(x, Several) or not x.is_floating_point():
        raise BadInput(
            "paths are followed from one tensor of floats, and the inputs are tokens or several tensors: which weights "
            "are reachable is unknown"
        )
    return tuple(x.shape[1:])


def carries(model: nn.Module, shape: tuple[int, ...], masks: Mapping[str, Tensor]) -> bool:
    """Whether a path leads from the input to an output, as `reach` follows them: without one, outputs are constant.

    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> first, second = torch.tensor([[1, 1], [1, 0], [0, 0]]) > 0, torch.tensor([[0, 0, 1]]) > 0
    >>> carries(net, (2,), {"0.weight": first}), carries(net, (2,), {"0.weight": first, "2.weight": second})
    (True, False)
    """
    _, _, output = _run(model, shape, _kept(model, masks))
    return any(is_mark(value) and bool((value > 0).any()) for value in tree_leaves(output))


def _kept(model: nn.Module, masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
    weights = prunable(model)
    return {name: masks.get(name, torch.ones_like(weight, dtype=torch.bool)).cpu() for name, weight in weights.items()}


def _run(
    model: nn.Module, shape: tuple[int, ...], kept: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], _Tracer, Any]:
    """The marks of the weights, their uses, and the outputs' marks."""
    leaves = {name: leaf(mask, of_weight=True) for name, mask in kept.items()}
    tracer = _Tracer(leaves)
    constants = {name: value.detach().cpu() for name, value in (*model.named_parameters(), *model.named_buffers())}
    with evaluating(model), torch.random.fork_rng(devices=[]):
        signal = leaf(torch.ones(1, *shape))
        with tracer:
            output = functional_call(model, constants | leaves, (signal,))
    if not any(map(torch.is_tensor, tree_leaves(output))):
        raise BadInput(
            f"the network returns a {type(output).__name__} in which no tensor is found: return a tuple or dict"
        )
    return leaves, tracer, tracer.written.now(output)


@dataclass(frozen=True, eq=False)
class _Use:
    """One application of a layer."""

    name: str
    result: Tensor
    axis: int
    """of the units"""
    positions: int


class _Tracer(TorchFunctionMode):
    """Replaces every operation on marks by its rule."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.uses: list[_Use] = []
        self.written = Written()
        self._names = {id(weight): name for name, weight in weights.items()}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        func, args = in_order(func, args)
        name, given = operation_name(func), dict(kwargs or {})
        target = given.pop("out", None)
        if target is None and (name == "setitem" or writes(func, args, given)):
            target = args[0] if args else given["input"]
        if name == "setitem":
            self.written.put_back(target, args[2])
        first, named = self.written.now((args, given))
        marks = [value for value in tree_leaves((first, named)) if is_mark(value)]
        if target is None:
            return self._plain(name, func, first, named) if marks else func(*first, **named)
        before = self.written.now(target)
        if not marks and not is_mark(before):
            return func(*args, **(kwargs or {}))
        return self._writing(name, func, first, named, target)

    def _plain(self, name: str, func: Any, args: Any, kwargs: Any) -> Any:
        """An operation that makes new tensors."""
        if name in NEW:
            return func(*args, **kwargs)
        if name in LAYERS - {"addmm"}:
            return self._weighted(name, func, args, kwargs)
        if name not in RULES:
            return _answer(name, func(*args, **kwargs))
        result = self._ruled(name, func, args, kwargs)
        if name in SHARING:
            self.written.share(result, args[0] if args else kwargs["input"])
        return result

    def _writing(self, name: str, func: Any, args: Any, kwargs: Any, target: Any) -> Any:
        """An operation that writes into a tensor, which is `target`."""
        if not torch.is_tensor(target) or (name not in RULES and name != "setitem"):
            raise BadInput(_unknown(name))
        before = self.written.now(target)
        if name == "setitem":
            of_weight = not any(is_signal(value) for value in args)
            result = marked(assigned(args), of_weight)
        else:
            apart = tree_map(lambda value: copied(value) if value is before and is_mark(value) else value, args)
            result = self._ruled(name, func, apart, kwargs)
        self.written.write(target, before, result, name)
        return None if name == "setitem" else result

    def _ruled(self, name: str, func: Any, args: Any, kwargs: Any) -> Any:
        of_weight = not any(map(is_signal, tree_leaves((args, kwargs))))
        result = RULES[name](func, args, kwargs)
        return tree_map(lambda value: marked(value, of_weight) if is_mark(value) else _answer(name, value), result)

    def _weighted(self, name: str, func: Any, args: Any, kwargs: Any) -> Tensor:
        result = marked(weighted(func, args, kwargs))
        weight = args[1] if len(args) > 1 else kwargs["weight"]
        if id(weight) in self._names:
            axis = channel_axis(name, -1)
            counted = args[0] if "transpose" in name else result
            self.uses.append(_Use(self._names[id(weight)], result, axis, counted.numel() // counted.shape[axis]))
        return result


def _answer(name: str, result: Any) -> Any:
    """What shapes and kinds are asked for is told; numbers of an operation that is not understood are not."""
    if any(
        torch.is_tensor(value) and (value.is_floating_point() or value.is_complex()) for value in tree_leaves(result)
    ):
        raise BadInput(_unknown(name))
    return result


def _unknown(name: str) -> str:
    return f"the network uses {name}, through which paths cannot be followed: which weights are reachable is unknown"


def _layer(
    name: str, mask: Tensor, gradient: Tensor | None, uses: list[_Use], back: Mapping[int, Tensor | None]
) -> Layer:
    own = [use for use in uses if use.name == name]
    reachable = torch.zeros_like(mask) if gradient is None else mask & (gradient > 0)
    fed = [_per_unit(use.result, use.axis) for use in own]
    read = [_per_unit(back[id(use.result)], use.axis, len(fed[0])) for use in own]
    none = torch.zeros(0, dtype=torch.bool)
    return Layer(
        name,
        mask,
        reachable,
        torch.stack(fed).any(0) if fed else none,
        torch.stack(read).any(0) if read else none,
        sum(use.positions for use in own),
    )


def _per_unit(marks: Tensor | None, axis: int, units: int = 0) -> Tensor:
    """(units,) whether any mark of a unit is set."""
    if marks is None:
        return torch.zeros(units, dtype=torch.bool)
    return marks.movedim(axis, 0).flatten(1).gt(0).any(1)
