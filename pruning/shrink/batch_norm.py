"""Batch norms that come right behind a convolution or linear layer: found, and folded into it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import count
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from minima.zoo.anatomy.narrowing.narrow import add_bias
from minima.zoo.anatomy.operations import OPERANDS, named, operation_name
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import Inputs, called
from minima.zoo.examples.outputs import tensors_of

WEIGHTED = ("linear", "conv1d", "conv2d", "conv3d")


@dataclass(frozen=True)
class Pair:
    """A layer, and the batch norm that alone reads what it makes."""

    layer: str
    norm: str


def pairs(model: nn.Module, x: Inputs) -> list[Pair]:
    """Layers applied once and norms with statistics, found in a pass of `model`, in eval mode, over x (1, ...)."""
    looking = Looking(model)
    with evaluating(model), torch.no_grad(), looking:
        looking.read(tensors_of(called(model, x)))
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


class Looking(TorchFunctionMode):
    """Sees in a pass which layer makes what batch norms and other layers read."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.pairs: list[tuple[int, int, int]] = []
        """what was made (by number), the id of the weight that made it, the id of the running mean"""
        self.chains: list[tuple[int, int, int]] = []
        """what was made, the id of the weight that made it, that of the weight that reads it as it is"""
        self.reads: Counter[int] = Counter()
        self.uses: Counter[int] = Counter()
        self._kept = {id(tensor) for tensor in (*model.parameters(), *model.buffers())}
        self._made = WeakTensorKeyDictionary()
        """what layers made: its number, and the id of the weight"""
        self._tokens: set[int] = set()
        """of what was made: where a norm's channels are not what a linear layer makes"""
        self._numbers = count()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = kwargs or {}, operation_name(func)
        result = func(*args, **kwargs)
        if not any(torch.is_tensor(leaf) for leaf in tree_leaves(result)):
            return result  # a shape, say
        self.read((args, kwargs))
        if name in WEIGHTED and torch.is_tensor(result):
            given = named(OPERANDS, args, kwargs)
            if given["input"] in self._made:
                self.chains.append((*self._made[given["input"]], id(given["weight"])))
            self._made[result] = (next(self._numbers), id(given["weight"]))
            if name == "linear" and result.ndim != 2:
                self._tokens.add(self._made[result][0])
        elif name == "batch_norm":
            given = named(("input", "running_mean"), args, kwargs)
            theirs = given["input"] in self._made and self._made[given["input"]][0] not in self._tokens
            if theirs and given.get("running_mean") is not None:
                self.pairs.append((*self._made[given["input"]], id(given["running_mean"])))
        return result

    def number(self, tensor: Tensor) -> int | None:
        """Of what a layer made."""
        return self._made[tensor][0] if tensor in self._made else None

    def read(self, values: Any) -> None:
        """Something reads these, or they are returned."""
        for tensor in tree_leaves(values):
            if torch.is_tensor(tensor) and id(tensor) in self._kept:
                self.uses[id(tensor)] += 1
            elif torch.is_tensor(tensor) and tensor in self._made:
                self.reads[self._made[tensor][0]] += 1
