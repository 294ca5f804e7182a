"""Passes in float64 throughout, whatever the network's code would round on the way."""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from minima.zoo.anatomy.operations import operation_name

ROUNDING = frozenset({"float", "half", "bfloat16"})


class Whole(TorchFunctionMode):
    """Inside it float64 stays float64: norms and softmaxes that ask for float32 do not get it, and what is made anew
    or of integers is float64.
    """

    def __enter__(self) -> Any:
        """Make float64 the type of what the network makes itself."""
        self._before = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)
        return super().__enter__()

    def __exit__(self, *raised: Any) -> None:
        """Put the type back that was there."""
        super().__exit__(*raised)
        torch.set_default_dtype(self._before)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call the operation, with float64 in place of any other floating type."""
        kwargs = kwargs or {}
        if operation_name(func) in ROUNDING and args and torch.is_tensor(args[0]) and not _number(func):
            return args[0].double()
        return func(*map(_widened, args), **{key: _widened(value) for key, value in kwargs.items()})


def _number(func: Any) -> bool:
    """Whether it makes a number of Python: float(tensor)."""
    return getattr(func, "__name__", "").startswith("__")


def _widened(value: Any) -> Any:
    return torch.float64 if isinstance(value, torch.dtype) and value.is_floating_point else value
