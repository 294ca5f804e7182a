"""The longest path through a network: how many layers, and how many activations, come one after the other."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from minima.zoo.anatomy.operations import is_activation, operation_name
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import Inputs, called
from minima.zoo.examples.outputs import tensors_of

LAYERS = ("linear", "addmm", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d")


def critical_path(model: nn.Module, x: Inputs) -> dict[str, int]:
    """The largest number of `layers` (convolutions and linear layers), and of elementwise `activations`, on a path from
    the inputs x (1, ...) to the outputs, in eval mode.

    >>> critical_path(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)), torch.zeros(1, 2))
    {'layers': 2, 'activations': 1}
    """
    found = {}
    for name in ("layers", "activations"):
        counting = _Counting(name == "layers")
        with evaluating(model), torch.no_grad(), counting:
            output = called(model, x)
        found[name] = max((counting.passed.get(leaf, 0) for leaf in tensors_of(output)), default=0)
    return found


class _Counting(TorchFunctionMode):
    def __init__(self, layers: bool) -> None:
        super().__init__()
        self.layers, self.passed = layers, WeakTensorKeyDictionary()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = kwargs or {}, operation_name(func)
        before = [self.passed.get(leaf, 0) for leaf in tree_leaves((args, kwargs)) if torch.is_tensor(leaf)]
        result = func(*args, **kwargs)
        counts = name in LAYERS if self.layers else is_activation(name, args, kwargs)
        for leaf in tree_leaves(args[0] if name == "setitem" else result):
            if torch.is_tensor(leaf):
                self.passed[leaf] = max(before, default=0) + int(counts)
        return result
