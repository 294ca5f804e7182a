"""Passes in float64 throughout, whatever the network's code would round on the way."""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map

from minima.zoo.anatomy.operations import operation_name


class Whole(TorchFunctionMode):
    """Inside it float64 stays float64: norms and softmaxes that ask for float32 do not get it."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call the operation, on float64 with no other dtype."""
        kwargs = kwargs or {}
        given = [leaf for leaf in tree_leaves((args, kwargs)) if torch.is_tensor(leaf)]
        wide = any(leaf.dtype == torch.float64 for leaf in given)
        if wide and operation_name(func) in ("float", "half", "bfloat16"):
            return args[0]
        if wide:
            args, kwargs = tree_map(_widened, args), tree_map(_widened, kwargs)
        return func(*args, **kwargs)


def _widened(value: Any) -> Any:
    return torch.float64 if isinstance(value, torch.dtype) and value.is_floating_point else value
