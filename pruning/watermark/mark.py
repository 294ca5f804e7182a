"""Bits as signs of single weights at places that only a key tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from landscape.objective.streams import stream
from landscape.objective.subsets.drawn import drawn_subset
from minima.store.checkpoints.checkpoint import Checkpoint, load
from minima.store.command import BadInput
from pruning.watermark.settings import Settings

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, eq=False)
class Mark:
    """A watermark of one network: where its bits are, and which."""

    places: Mapping[str, Tensor]
    """bool by parameter name, True where a bit is; only parameters that hold some"""
    bits: Mapping[str, Tensor]
    """of each of these parameters its bits, 1 or -1, in the order of its places"""

    def values(self, weights: Mapping[str, Tensor], masks: Mapping[str, Tensor], amplitude: float) -> dict[str, Tensor]:
        """The weights with the bits in them: amplitude x sign x root mean square of what is left of the tensor."""
        made = {}
        for name, place in self.places.items():
            weight = weights[name].detach().clone()
            left = weight[masks[name]] if name in masks else weight
            size = amplitude * left.double().square().mean().sqrt().to(weight.dtype)
            weight[place] = size * self.bits[name].to(weight)
            made[name] = weight
        return made

    def wrong(self, weights: Mapping[str, Tensor]) -> float:
        """The share of the bits that are read wrong of these weights; a weight of 0 has lost its bit, and counts half,
        as a guess would."""
        lost = total = 0.0
        for name, place in self.places.items():
            agreement = weights[name][place].sign().double() * self.bits[name].to(weights[name].device)
            lost += ((1 - agreement) / 2).sum().item()
            total += len(self.bits[name])
        return lost / total


def mark_of(model: nn.Module, masks: Mapping[str, Tensor], settings: Settings) -> Mark:
    """The watermark of a key in a network: places among the weights of convolutions and linear layers that `masks` keep
    (those of `landscape.sharpness --subset BITS --subset-seed KEY`), and random bits.

    Raises:
        BadInput: fewer weights are left than there are bits.
    """
    try:
        chosen = drawn_subset(model, masks, settings.bits, settings.key)
    except BadInput as error:
        raise BadInput(f"--bits {settings.bits}: {error}") from error
    places = {name: place for name, place in chosen.items() if place.any()}
    drawn = 2 * torch.randint(0, 2, (settings.bits,), generator=stream(settings.key, "watermark bits")) - 1
    parts = drawn.split([int(place.sum()) for place in places.values()])
    return Mark(places, dict(zip(places, parts, strict=True)))


def carried(checkpoint: Checkpoint, model: nn.Module) -> Mark | None:
    """The watermark that was embedded in a checkpoint; None where there is none."""
    stored = checkpoint.training.get("watermark")
    return None if stored is None else mark_of(model, checkpoint.masks, Settings(**stored))


def mark_in(path: Path, model: nn.Module) -> Mark:
    """The watermark that was embedded in another checkpoint of the same network, from which `model` was made.

    Raises:
        BadInput: it has none, or is of another network.
    """
    checkpoint = load(path)
    shapes = {name: tuple(p.shape) for name, p in model.named_parameters()}
    theirs = {name: tuple(tensor.shape) for name, tensor in checkpoint.state.items()}
    if not shapes.items() <= theirs.items():
        raise BadInput(f"--watermark {path}: its network has other tensors than the one that is measured")
    found = carried(checkpoint, model)
    if found is None:
        raise BadInput(
            f"--watermark {path}: no watermark was embedded in it. Name a file of python -m pruning.watermark"
        )
    return found
