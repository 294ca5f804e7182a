"""The part of a training split that is held out for validation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minima.zoo.seeds import derive

if TYPE_CHECKING:
    from torch import Tensor


def holdout(examples: int, fraction: float, seed: int) -> tuple[Tensor, Tensor]:
    """Indices (train, validation) of a random split; both ascending, round(fraction * examples) are held out.

    >>> [len(part) for part in holdout(10, 0.2, seed=0)]
    [8, 2]
    """
    import torch

    if not 0 <= fraction < 1:
        raise ValueError(f"the held-out fraction must lie in [0, 1), not {fraction}")
    generator = torch.Generator().manual_seed(derive(seed, "holdout"))
    order = torch.randperm(examples, generator=generator)
    held = round(fraction * examples)
    return order[held:].sort().values, order[:held].sort().values
