"""Embeddings with `max_norm`: torch shortens rows in the weight itself, whenever it looks; here in a copy of it."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

LOOKUPS = {each: tuple(inspect.signature(each).parameters) for each in (functional.embedding, functional.embedding_bag)}
"""operations that shorten rows, with the names of their arguments"""
APART = 1e-7
"""that torch adds to a norm before it divides by it"""


class Renormalising(TorchFunctionMode):
    """Inside the block rows are shortened in a copy, differentiably: the same outputs, and the weight stays."""

    used = False
    """whether there were such rows"""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in LOOKUPS:
            given = dict(zip(LOOKUPS[func], args, strict=False)) | kwargs
            if given.get("max_norm") is not None:
                self.used = True
                given["weight"] = shortened(given["weight"], given["max_norm"], given.get("norm_type", 2.0))
                return func(**given | {"max_norm": None})
        return func(*args, **kwargs)


def shortened(weight: Tensor, largest: float, power: float = 2.0) -> Tensor:
    """The rows of a weight (rows, n), those of a norm above `largest` scaled down to it.

    >>> shortened(torch.tensor([[3.0, 4.0], [0.3, 0.4]]), 1.0)
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    norms = vector_norm(weight, power).unsqueeze(-1)
    return torch.where(norms > largest, weight * (largest / (norms + APART)), weight)


def vector_norm(x: Tensor, p: float) -> Tensor:
    """The p-norm over the last axis, with all derivatives 0 where it is 0."""
    if p == 0:
        return (x != 0).to(x.dtype).sum(-1)
    if p == 1:
        return x.abs().sum(-1)
    if p == math.inf:
        return x.abs().amax(-1)
    if p == 2:
        powers = x.square().sum(-1)
    else:
        own = x.abs()
        powers = torch.where(own > 0, own, 1.0).pow(p).mul(own > 0).sum(-1)
    there = powers > 0
    return torch.where(there, powers, 1.0).pow(1 / p) * there


def renormalises(model: nn.Module) -> bool:
    """Whether a module of the network is an embedding whose rows have a largest norm."""
    kinds = torch.nn.Embedding | torch.nn.EmbeddingBag
    return any(isinstance(module, kinds) and module.max_norm is not None for module in model.modules())
