"""The binary states of one site's neurons in one batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Neurons = Literal["position", "channel"]
"""what a neuron of a feature map is: a position, as published, or a channel, which pools its positions"""


@dataclass(frozen=True)
class States:
    """Which neurons of a site are ON (potential > 0) for the examples of a batch."""

    name: str
    on: Tensor
    """uint8 (N, neurons, positions): positions is 1 unless channels pool several"""
    shape: tuple[int, ...]
    """what the neurons are laid out as: (channels, rows, columns), or (channels,) when positions are pooled"""

    @property
    def neurons(self) -> int:
        """The number of neurons of the site."""
        return self.on.shape[1]

    @property
    def positions(self) -> int:
        """The number of states that a neuron has for each example: its positions."""
        return self.on.shape[2]

    def rows(self, start: int, stop: int) -> Tensor:
        """Joint states (observations, neurons) of the examples start..stop: one for each example and position."""
        return self.on[start:stop].transpose(1, 2).flatten(0, 1)


def states_of(name: str, potential: Tensor, channels: int, neurons: Neurons) -> States:
    """ON states of potentials (N, ...) whose channels lie along the axis `channels`."""
    on = per_neuron((potential > 0).view(torch.uint8), channels, neurons)
    return States(name, on, tuple(potential.shape[1:]) if neurons == "position" else (on.shape[1],))


def per_neuron(values: Tensor, channels: int, neurons: Neurons) -> Tensor:
    """Values (N, ...) of a site as (N, neurons, positions).

    A neuron is an entry along the axis `channels`, seen at each of the other positions; with `neurons` = "position"
    every entry is a neuron, seen once.
    """
    if neurons == "position" or values.dim() == 2:
        return values.flatten(1)[:, :, None]
    return values.movedim(channels, 1).flatten(2)
