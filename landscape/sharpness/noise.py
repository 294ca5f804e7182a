"""How the loss rises under Gaussian noise on the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    import torch

    from landscape.objective.differentiable import Differentiable


@dataclass(frozen=True)
class Rises:
    """L(w + delta) - L(w), averaged in two ways."""

    draws: Sequence[float]
    """over the examples: one for each draw of delta"""
    examples: Tensor
    """(N,) over the draws: one for each example"""


def rises(function: Differentiable, deviation: float, pairs: int, generator: torch.Generator) -> Rises:
    """Under noise of this standard deviation on each coordinate, drawn `pairs` times.

    Every draw is used with both signs, so that the gradient's part cancels. The same generator gives the same noise,
    scaled by the deviation.
    """
    base = function.example_losses()
    total, draws = base.new_zeros(len(base)), []
    for _ in range(pairs):
        noise = deviation * function.normal(generator)
        rise = (function.example_losses(noise) + function.example_losses(-noise)) / 2 - base
        total += rise
        draws.append(rise.mean().item())
    return Rises(draws, total / pairs)
