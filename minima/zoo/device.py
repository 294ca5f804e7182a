"""Which device to compute on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from minima.store.command import BadInput

if TYPE_CHECKING:
    import torch

DeviceName = Literal["auto", "cpu", "cuda"]


def resolve_device(name: DeviceName) -> torch.device:
    """The device that a name means: `auto` is the GPU where there is one."""
    import torch

    if name == "cuda" and not torch.cuda.is_available():
        raise BadInput("--device cuda: torch finds no CUDA device here. Type --device cpu, or leave it out")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")
