"""The signs of every channel's potentials before each activation, counted exactly, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from minima.store.command import BadInput
from minima.zoo.anatomy.sites import Sites
from minima.zoo.examples.inputs import Inputs
from minima.zoo.examples.outputs import pick

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Signs:
    """How many of a site's potentials were negative, zero and positive, per channel (n,), positions pooled."""

    negative: Integers
    zero: Integers
    positive: Integers

    @property
    def observed(self) -> Integers:
        """The number of potentials looked at, for each neuron (n,)."""
        return self.negative + self.zero + self.positive

    def __add__(self, other: Signs) -> Signs:
        return Signs(self.negative + other.negative, self.zero + other.zero, self.positive + other.positive)


@dataclass(frozen=True)
class Batch:
    """What one batch showed of the signs of all activations' inputs."""

    signs: dict[str, Signs]
    """of every activation's input in forward order, by site; the output layer is none"""
    output: str
    """the output layer's site"""
    skipped: dict[str, tuple[int, ...]]
    """what an activation was applied to but has no row per example: shapes by name"""


def batches_of_signs(
    model: nn.Module, x: Inputs, batch_size: int, picked: Callable[[Any], Any] = pick
) -> Iterator[Batch]:
    """Count the signs of all potentials of `model`, in eval mode already, over x (N, ...), one batch after the other.

    Raises:
        BadInput: a potential is NaN, or the network takes another path for some batches.
    """
    signs: dict[str, Signs] = {}

    def visit(name: str, potential: Tensor, channels: int) -> None:
        signs[name] = _count(name, potential, channels)

    sites, before = Sites(model, visit, picked=picked), None
    for chunk in x.split(batch_size):
        signs = {}
        output = sites.run(chunk)
        seen = {name: site.observed.size for name, site in signs.items()}
        if before not in (None, seen):
            raise BadInput(
                f"the channels before each activation are {before} in one batch and {seen} in another: nothing to count"
            )
        before = seen
        del signs[output]
        yield Batch(signs, output, sites.skipped)


def _count(name: str, potential: Tensor, channels: int) -> Signs:
    pooled = [axis for axis in range(potential.dim()) if axis != channels % potential.dim()]
    signs = (potential < 0, potential == 0, potential > 0)
    negative, zero, positive = torch.stack([sign.sum(pooled) for sign in signs]).cpu().numpy()
    counted = Signs(negative, zero, positive)
    if counted.observed.sum() != potential.numel():
        raise BadInput(f"{name}: some of its potentials are NaN: they have no sign to speak of")
    return counted
