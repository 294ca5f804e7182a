"""Batch norms that come right behind a convolution or linear layer: found, and folded into it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import torch
from torch import nn

from minima.zoo.anatomy.narrowing.narrow import add_bias
from minima.zoo.anatomy.operations import CONVOLUTIONS, OPERANDS
from minima.zoo.anatomy.tape import Tape, Value, record
from minima.zoo.examples.inputs import Inputs


@dataclass(frozen=True)
class Pair:
    """A layer, and the batch norm that alone reads what it makes."""

    layer: str
    norm: str


def pairs(model: nn.Module, x: Inputs) -> list[Pair]:
    """Layers applied once and norms with statistics, found in a pass of `model`, in eval mode, over x (1, ...)."""
    looking = Looking(record(model, x))
    layers = {id(module._parameters.get("weight")): name for name, module in model.named_modules()}
    norms = {id(module._buffers.get("running_mean")): name for name, module in model.named_modules()}
    return [
        Pair(layers[weight], norms[mean])
        for made, weight, mean in looking.pairs
        if looking.reads[made] == looking.uses[weight] == looking.uses[mean] == 1 and weight in layers and mean in norms
    ]


def fold(model: nn.Module, found: list[Pair]) -> list[str]:
    """Fold each norm into its layer, in place: w' = w s, b' = (b - mean) s + shift, with s = scale / sqrt(var + eps).

    The norms become identities.

    Returns:
        the layers that got a bias.
    """
    given: list[str] = []
    for pair in found:
        layer, norm = model.get_submodule(pair.layer), model.get_submodule(pair.norm)
        if layer.bias is None:
            add_bias(layer, pair.layer)
            given.append(pair.layer)
        assert isinstance(norm, nn.modules.batchnorm._BatchNorm)
        mean, variance = norm.running_mean, norm.running_var
        assert mean is not None
        assert variance is not None
        scale = (variance + norm.eps).rsqrt() * (1 if norm.weight is None else norm.weight)
        shift = 0 if norm.bias is None else norm.bias
        weight, bias = layer._parameters["weight"], layer._parameters["bias"]
        assert weight is not None
        assert bias is not None
        with torch.no_grad():
            weight.mul_(scale.view(-1, *[1] * (weight.ndim - 1)))
            bias.copy_((bias - mean) * scale + shift)
        parent, _, last = pair.norm.rpartition(".")
        setattr(model.get_submodule(parent), last, nn.Identity())
    return given


class Looking:
    """Sees on a tape which layer makes what batch norms and other layers read."""

    def __init__(self, tape: Tape) -> None:
        self.pairs: list[tuple[Value, int, int]] = []
        """what was made, the id of the weight that made it, the id of the running mean"""
        self.chains: list[tuple[Value, int, int]] = []
        """what was made, the id of the weight that made it, that of the weight that reads it as it is"""
        operands = [*(each for operation in tape.operations for each in operation.operands), *tape.outputs]
        self.reads = Counter(each for each in operands if isinstance(each, Value))
        self.uses = Counter(id(each) for each in operands)
        weights: dict[Value, int] = {}
        """of what layers made"""
        tokens: set[Value] = set()
        """of these: where a norm's channels are not what a linear layer makes"""
        for operation in tape.operations:
            if operation.name not in CONVOLUTIONS | {"linear", "batch_norm"}:
                continue
            made, given = operation.made[0], operation.given(*OPERANDS)
            source = given["input"]
            if operation.name != "batch_norm":
                if source in weights:
                    self.chains.append((source, weights[source], id(given["weight"])))
                weights[made] = id(given["weight"])
            elif source in weights and source not in tokens:
                mean = operation.given("input", "running_mean")["running_mean"]
                self.pairs += [] if mean is None else [(source, weights[source], id(mean))]
            if operation.name == "linear" and made.ndim != 2:
                tokens.add(made)
