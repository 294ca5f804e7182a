"""Random generators for the draws of a measurement: on the CPU, so that a seed means the same on every device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minima.zoo.seeds import derive

if TYPE_CHECKING:
    import torch


def stream(seed: int, *parts: str | int) -> torch.Generator:
    """The generator of the draws `parts` under `seed`; the global random state is not touched."""
    import torch

    return torch.Generator().manual_seed(derive(seed, *parts))
