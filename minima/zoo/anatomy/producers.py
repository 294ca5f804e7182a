"""Which weight's output each activation gets: followed through the operations in between (norms, sums, views)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from minima.zoo.anatomy.operations import LAYERS, MATRIX_PRODUCTS, RECURRENT, SUMS
from minima.zoo.anatomy.prunable import prunable
from minima.zoo.anatomy.sites import Sites
from minima.zoo.anatomy.tape import Operation, Tape
from minima.zoo.examples.inputs import Inputs
from minima.zoo.examples.outputs import pick


def producers(model: nn.Module, x: Inputs, picked: Callable[[Any], Any] = pick) -> dict[str, str | None]:
    """The convolution or linear weight, by parameter name, whose output goes into each site's activation.

    By one forward pass of `model`, in eval mode already, over x (1, ...). A normalisation passes on the weight before
    it; a layer whose weight is computed, as by a parametrisation, passes on none, nor does a recurrent one. In the sum
    at the end of a residual block the branch counts, not the shortcut: the weight that reads the later layer (as in
    EGP, where the second activation of a block stands for its second convolution). None where there is no weight (the
    input, an activation of an activation), or none by itself (a concatenation, a sum of equals).
    """
    tape = Tape()
    sites = Sites(model, picked=picked, beside=tape)
    sites.run(x)
    activations = {site.operation: count for count, site in enumerate(sites.found.values(), start=1)}
    sources: dict[Any, _Source] = {weight: _Source({name: 0}) for name, weight in prunable(model).items()}
    sources |= dict.fromkeys(tape.inputs, _Source(activations=0))
    for operation in tape.operations:
        found = [sources[operand] for operand in operation.operands if operand in sources]
        if found:
            count = activations.get(operation)
            made = _made(operation, found) if count is None else _Source(activations=count)
            sources.update(dict.fromkeys(operation.made, made))
    weights = {name: sources.get(site.potential, _Source()).weights for name, site in sites.found.items()}
    return {name: next(iter(found)) if len(found) == 1 else None for name, found in weights.items()}


@dataclass(frozen=True)
class _Source:
    """What a tensor was made of since the last activation."""

    weights: dict[str, int] = field(default_factory=dict)
    """how many activations came before the input of each weight"""
    activations: int | None = None
    """how many came before the tensor itself; None if it is made of parameters alone"""


def _made(operation: Operation, sources: list[_Source]) -> _Source:
    """What the result of an operation is made of."""
    inputs = [source for source in sources if source.activations is not None]
    applied = {name for source in sources if source.activations is None for name in source.weights}
    if not inputs:
        return _Source(dict.fromkeys(applied, 0))
    activations = max(source.activations or 0 for source in inputs)
    if applied:
        return _Source(dict.fromkeys(applied, activations), activations)
    if _applies_another(operation):
        return _Source(activations=activations)
    weights = {name: reads for source in inputs for name, reads in source.weights.items()}
    if operation.name in SUMS and weights:
        latest = max(weights.values())
        weights = {name: reads for name, reads in weights.items() if reads == latest}
    return _Source(weights, activations)


def _applies_another(operation: Operation) -> bool:
    """Whether an operation applies a weight that is none of the network's convolutions and linear layers."""
    if operation.name in MATRIX_PRODUCTS:
        return any(isinstance(operand, nn.Parameter) for operand in operation.operands)
    return operation.name in LAYERS | RECURRENT | {"bilinear"}
