"""A module as a function of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils._pytree import tree_leaves

from landscape.passes.folding import AnotherPath, Folding, Plan, Tracing
from minima.zoo.examples.inputs import arguments

AGREEMENT = 1e-3
"""of the largest output: a folded pass that differs by more than such rounding is not used"""

HEAVY = 32
"""numbers in kernels for each that convolutions make of an example, from which on a CPU is faster with channels first:
by a thread a gradient or product took 0.8 to 1.05 times as long with channels last below 26, 1 to 1.3 above 45, unless
convolutions are computed in tiles, which need channels last"""


class Network:
    """outputs = network(weights, x); `constants` are the parameters and buffers that stay. The module is untouched."""

    def __init__(self, model: nn.Module, constants: Mapping[str, Tensor]) -> None:
        self.model, self._constants = model, constants
        self.plan: Plan | None = None
        """how convolutions and batch norms are computed; None: as the module does it"""
        self._channels_last = True

    def fold(self, weights: Mapping[str, Tensor], x: Tensor) -> None:
        """Compute convolutions and batch norms in a form that is cheaper from now on (see `folding`), if it agrees.

        Judged by the outputs for the examples `x`. Images and kernels then lie in memory with channels last, but where
        images are tiny beside the kernels and most is not computed in tiles. A network that takes another path for
        other examples is computed plainly again.
        """
        tensors = self.tensors(weights)
        with Tracing(tensors) as trace:
            plain = functional_call(self.model, tensors, *arguments(x))
        if trace.plan or trace.norms:
            self.plan = trace.plan
            light = trace.kernels <= HEAVY * trace.images / len(x) or 2 * trace.tiled >= trace.products
            self._channels_last = x.device.type != "cpu" or light
            if not _agree(self(weights, x), plain):
                self.plan = None

    def tensors(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """All parameters and buffers."""
        return {**self._constants, **weights}

    def plain(self, weights: Mapping[str, Tensor], x: Tensor) -> Any:
        """The outputs for inputs x (n, ...), as the module computes them."""
        return functional_call(self.model, self.tensors(weights), *arguments(x))

    def holding(self, constants: Mapping[str, Tensor]) -> Network:
        """The same with other values of some constants: how it is computed stays, since a plan knows them by name."""
        other = copy(self)
        other._constants = {**self._constants, **constants}
        return other

    def __call__(self, weights: Mapping[str, Tensor], x: Tensor) -> Any:
        """The outputs for inputs x (n, ...)."""
        tensors = self.tensors(weights)
        if self.plan is not None:
            try:
                with Folding(self.plan, tensors, self._channels_last) as folding:
                    outputs = functional_call(self.model, tensors, *arguments(self._laid_out(x)))
                folding.check()
                return outputs
            except AnotherPath:
                self.plan = None
        return self.plain(weights, x)

    def _laid_out(self, x: Tensor) -> Tensor:
        return x.contiguous(memory_format=torch.channels_last) if self._channels_last and x.ndim == 4 else x


def _agree(folded: Any, plain: Any) -> bool:
    pairs = zip(tree_leaves(folded), tree_leaves(plain), strict=True)
    tensors = [(a, b) for a, b in pairs if torch.is_tensor(b) and b.is_floating_point() and b.numel()]
    return all((a - b).abs().max() <= AGREEMENT * b.abs().max() for a, b in tensors)
