"""Which weight's output each activation gets: followed through the operations in between (norms, sums, views)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from minima.zoo.anatomy.operations import operation_name
from minima.zoo.anatomy.prunable import prunable
from minima.zoo.anatomy.sites import Sites
from minima.zoo.examples.inputs import Inputs, leaves
from minima.zoo.examples.outputs import pick

SUMS = frozenset({"add", "sub"})


def producers(model: nn.Module, x: Inputs, picked: Callable[[Any], Any] = pick) -> dict[str, str | None]:
    """The convolution or linear weight, by parameter name, whose output goes into each site's activation.

    By one forward pass of `model`, in eval mode already, over x (1, ...). A normalisation passes on the weight before
    it. In the sum at the end of a residual block the branch counts, not the shortcut: the weight that reads the later
    layer (as in EGP, where the second activation of a block stands for its second convolution). None where there is
    no weight (the input, an activation of an activation), or none by itself (a concatenation, a sum of equals).
    """
    following = _Following(model, picked)
    following.run(x)
    return following.found


@dataclass(frozen=True)
class _Source:
    """What a tensor was made of since the last activation."""

    weights: dict[str, int] = field(default_factory=dict)
    """how many activations came before the input of each weight"""
    activations: int | None = None
    """how many came before the tensor itself; None if it is made of parameters alone"""


class _Following(Sites):
    """Sites that know their weights."""

    def __init__(self, model: nn.Module, picked: Callable[[Any], Any]) -> None:
        super().__init__(model, self._look, picked=picked)
        self.found: dict[str, str | None] = {}
        self._at_site = False

    def run(self, x: Inputs) -> str:
        self._sources = WeakTensorKeyDictionary()
        for name, weight in prunable(self.model).items():
            self._sources[weight] = _Source({name: 0})
        for leaf in leaves(x):
            self._sources[leaf] = _Source(activations=0)
        return super().run(x)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """See an operation, and remember what weights its result is made of."""
        operation, self._at_site = operation_name(func), False
        sources = [self._sources[tensor] for tensor in _tensors((args, kwargs)) if tensor in self._sources]
        result = super().__torch_function__(func, types, args, kwargs)
        if sources:
            made = _Source(activations=len(self.found)) if self._at_site else _made(operation, sources)
            for tensor in _tensors(args[0] if operation == "setitem" else result):
                self._sources[tensor] = made
        return result

    def _look(self, name: str, potential: Tensor, _channels: int) -> None:
        source = self._sources.get(potential, _Source())
        self.found[name] = next(iter(source.weights)) if len(source.weights) == 1 else None
        self._at_site = True


def _made(operation: str, sources: list[_Source]) -> _Source:
    """What the result of an operation is made of."""
    inputs = [source for source in sources if source.activations is not None]
    applied = {name for source in sources if source.activations is None for name in source.weights}
    if not inputs:
        return _Source(dict.fromkeys(applied, 0))
    activations = max(source.activations or 0 for source in inputs)
    if applied:
        return _Source(dict.fromkeys(applied, activations), activations)
    weights = {name: reads for source in inputs for name, reads in source.weights.items()}
    if operation in SUMS and weights:
        latest = max(weights.values())
        weights = {name: reads for name, reads in weights.items() if reads == latest}
    return _Source(weights, activations)


def _tensors(values: Any) -> Iterable[Tensor]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, torch.Tensor)]
