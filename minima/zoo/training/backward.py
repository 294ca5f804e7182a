"""What a backward pass costs, and what it costs without the gradients of some neurons' weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import Inputs, call

if TYPE_CHECKING:
    from collections.abc import Iterator

Convolution = nn.modules.conv._ConvNd


@dataclass(frozen=True)
class Backward:
    """Multiply-adds of a backward pass for one example, of convolutions and linear layers as if nothing were removed.

    A layer of W weights that is used at P positions multiplies W P times for the gradient by its weights, and W P times
    for that by its inputs, where one is needed: not in the first layer.
    """

    neurons: Mapping[str, int]
    """of each trained layer"""
    weights: Mapping[str, int]
    """for the gradient by each trained layer's weights"""
    inputs: int
    """for the gradients by inputs, of all layers"""

    @property
    def whole(self) -> int:
        """Multiply-adds of a pass that trains every neuron."""
        return sum(self.weights.values()) + self.inputs

    def of(self, updated: Mapping[str, int]) -> int:
        """Multiply-adds of a pass that trains so many neurons of each layer: the gradients of the others' weights are
        left out, those by inputs are computed in full. Layers left out of `updated` are trained as a whole.

        >>> Backward({"fc": 4}, {"fc": 40}, inputs=5).of({"fc": 3})
        35
        """
        trained = {name: updated.get(name, neurons) for name, neurons in self.neurons.items()}
        return sum(self.weights[name] // self.neurons[name] * count for name, count in trained.items()) + self.inputs


def backward_of(model: nn.Module, x: Inputs) -> Backward:
    """What a backward pass of `model` costs, found out by a forward pass over the first of the examples x (N, ...)."""
    kinds = nn.Linear | Convolution
    known = {name: module for name, module in model.named_modules() if isinstance(module, kinds)}
    weights: Counter[str] = Counter()
    inputs = 0

    def seen(name: str, module: nn.Module, given: tuple[Any, ...], made: Tensor) -> None:
        nonlocal inputs
        weight = module.weight
        assert isinstance(weight, Tensor)
        times = weight.numel() * _positions(module, given[0], made)
        if weight.requires_grad:
            weights[name] += times
        if given[0].requires_grad:
            inputs += times

    handles = [
        module.register_forward_hook(lambda m, given, made, name=name: seen(name, m, given, made))
        for name, module in known.items()
    ]
    try:
        with evaluating(model), torch.enable_grad():
            call(model, x[:1])
    finally:
        for handle in handles:
            handle.remove()
    return Backward(dict(_neurons(known, weights)), dict(weights), inputs)


def _neurons(known: Mapping[str, nn.Module], weights: Counter[str]) -> Iterator[tuple[str, int]]:
    for name in weights:
        module = known[name]
        if isinstance(module, nn.Linear | Convolution):
            yield name, module.out_features if isinstance(module, nn.Linear) else module.out_channels


def _positions(module: nn.Module, given: Tensor, made: Tensor) -> int:
    """At how many positions of one example each weight is used."""
    if isinstance(module, nn.Linear):
        return made.numel() // (len(made) * module.out_features) if made.ndim > 1 else 1
    spatial = given if isinstance(module, nn.modules.conv._ConvTransposeNd) else made
    return prod(spatial.shape[2:])
