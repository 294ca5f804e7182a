"""Masks that follow the weights: removed ones go on learning, out of sight of the forward pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

Choose = Callable[[Mapping[str, Tensor]], dict[str, Tensor]]


class LooseMasks:
    """Between two steps a removed weight is zero in the network, and its value lies aside; `choose` says after each
    step what is removed next.

    The step itself is the optimiser's on all values v, kept and removed, with the straight-through gradient

        dL/d(m v)  +  pull (1 - m) v

    so that what is removed shrinks, and comes back if the loss pulls harder (Zhou et al. 2021, SR-STE).
    """

    def __init__(self, weights: Mapping[str, Tensor], choose: Choose, pull: float) -> None:
        self.weights, self.choose, self.pull = dict(weights), choose, pull
        self.masks: dict[str, Tensor] = {}
        self.aside: dict[str, Tensor] = {}
        self._lay_aside()

    def around(self, step: Callable[[], None]) -> None:
        """Make the optimiser's step; gradients are those of the network as it is, of removed weights too."""
        moved = [(weight.grad, self.aside[name]) for name, weight in self.weights.items() if weight.grad is not None]
        if moved:
            torch._foreach_add_([gradient for gradient, _ in moved], [aside for _, aside in moved], alpha=self.pull)
        self._bring_back()
        step()
        self._lay_aside()

    def load(self, aside: Mapping[str, Tensor]) -> None:
        """Go back to where the weights in the network, already loaded, had these beside them."""
        self.aside = dict(aside)
        self._bring_back()
        self._lay_aside()

    def _bring_back(self) -> None:
        with torch.no_grad():
            torch._foreach_add_(list(self.weights.values()), list(self.aside.values()))

    def _lay_aside(self) -> None:
        values = {name: weight.detach() for name, weight in self.weights.items()}
        self.masks = self.choose(values)
        self.aside = {name: value * ~self.masks[name] for name, value in values.items()}
        torch._foreach_sub_(list(values.values()), list(self.aside.values()))
