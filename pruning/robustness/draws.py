"""Random numbers for inputs and weights, each a pure function of a seed and of whom it is for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import torch

from minima.zoo.seeds import derive

if TYPE_CHECKING:
    from torch import Tensor

    from pruning.robustness.points import Points

Kind = Literal["normal", "uniform"]


def for_points(kind: Kind, points: Points, rows: Sequence[int], seed: int, *stream: str | int) -> Points:
    """Numbers for the inputs of these rows of a split: what an example gets depends on neither chunk nor sample.

    Standard normal, or uniform in [-1, 1].
    """
    return [
        torch.stack([drawn_like(kind, leaf[0], seed, *stream, place, row) for row in rows]).to(leaf)
        for place, leaf in enumerate(points)
    ]


def drawn_like(kind: Kind, like: Tensor, seed: int, *stream: str | int) -> Tensor:
    """Numbers of a tensor's shape, standard normal or uniform in [-1, 1) by `kind`, on the CPU.

    They come from a generator of their own, which `seed` and `stream` decide: no other draw changes them.
    """
    generator = torch.Generator().manual_seed(derive(seed, *stream))
    if kind == "normal":
        return torch.randn(like.shape, generator=generator, dtype=like.dtype)
    return 2 * torch.rand(like.shape, generator=generator, dtype=like.dtype) - 1
