"""Exact counts of ON states, gathered in one pass over the examples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from entropy.blocks import Blocks, Run
from entropy.sites import Sites
from store.command import BadInput

Neurons = Literal["position", "channel"]


@dataclass
class Tally:
    """How often each neuron of one site was ON, per block and class."""

    name: str
    shape: tuple[int, ...]
    """what the neurons are laid out as: (channels, rows, columns), or (channels,) when positions are pooled"""
    positions: int
    """states per neuron and example: 1, or the number of pooled positions"""
    counts: Tensor
    """(B, C, neurons), integers"""

    def add(self, states: Tensor, runs: list[Run]) -> None:
        """Add states (rows, neurons), one of 0..positions each, of a batch made of these runs."""
        if states.shape[1] != self.counts.shape[2]:
            raise BadInput(
                f"{self.name} has {self.counts.shape[2]} neurons in one batch and {states.shape[1]} in another"
            )
        for run in runs:
            # A run is within a cell, so its sum fits the counter; adding in narrow integers is ten times as fast.
            ones = states[run.start : run.stop].sum(0, dtype=self.counts.dtype)
            self.counts[run.block, run.label] += ones

    def numpy(self) -> NDArray[np.integer]:
        """The counts as an array (B, C, neurons)."""
        return self.counts.cpu().numpy()


@dataclass
class Tallies:
    """Every site's tally in forward order, the output layer's last."""

    sites: dict[str, Tally] = field(default_factory=dict)
    output: str = ""
    skipped: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """what an activation was applied to but has no row per example: shapes by name"""


def tally(model: nn.Module, x: Tensor, blocks: Blocks, neurons: Neurons, batch_size: int) -> Tallies:
    """Count the ON states (potential > 0) of every neuron of `model`, in eval mode already, over x (N, ...).

    One pass; memory O(blocks x classes x neurons), whatever N is. The counts do not depend on the batch size.
    """
    tallies = Tallies()
    runs: list[Run] = []
    seen: list[str] = []

    def visit(name: str, potential: Tensor, channels: int) -> None:
        seen.append(name)
        states, shape = _states(potential, channels, neurons)
        if name not in tallies.sites:
            positions = potential[0].numel() // states[0].numel()
            tallies.sites[name] = Tally(name, shape, positions, _zeros(blocks, states, positions))
        tallies.sites[name].add(states, runs)

    sites, before = Sites(model, visit), None
    for indices, found in blocks.batches(batch_size):
        seen, runs = [], found
        tallies.output = sites.run(x[indices.to(x.device)])
        if before not in (None, seen):
            raise BadInput(
                f"the network's activations are {before} in one batch and {seen} in another: nothing to count"
            )
        before = seen
    tallies.sites[tallies.output] = tallies.sites.pop(tallies.output)
    tallies.skipped = sites.skipped
    return tallies


def _states(potential: Tensor, channels: int, neurons: Neurons) -> tuple[Tensor, tuple[int, ...]]:
    """ON states (N, neurons) of potentials (N, ...), summed over positions for channel neurons; a neuron's layout."""
    on = potential > 0
    if neurons == "position" or potential.dim() == 2:
        return on.flatten(1).view(torch.uint8), tuple(potential.shape[1:])
    pooled = on.movedim(channels, 1).flatten(2).sum(2)  # (N, channels, positions) -> (N, channels)
    return pooled, tuple(pooled.shape[1:])


def _zeros(blocks: Blocks, states: Tensor, positions: int) -> Tensor:
    """A tally of zeros (B, C, neurons) in the narrowest integers that hold a whole cell."""
    largest = int(blocks.sizes.max()) * positions
    narrow = next(kind for kind in (torch.uint8, torch.int16, torch.int32) if largest <= torch.iinfo(kind).max)
    return torch.zeros(*blocks.sizes.shape, states[0].numel(), dtype=narrow, device=states.device)
