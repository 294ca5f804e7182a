"""Random directions to draw a loss surface along, scaled like the weights they move."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.utils.parametrizations import _WeightNorm

if TYPE_CHECKING:
    from landscape.objective.coordinates import Coordinates
    from landscape.objective.objective import Objective

Normalise = Literal["filter", "layer", "weight", "none"]
BiasesAndNorms = Literal["ignore", "scale"]

NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)


@dataclass(frozen=True)
class Direction:
    """A displacement per unit of a surface's axis."""

    vector: Tensor
    """(d,) coordinates"""
    norm: float
    relative_norm: float
    """||direction|| / ||w||, both over the coordinates"""


def random_direction(
    objective: Objective,
    generator: torch.Generator,
    normalise: Normalise = "filter",
    biases_and_norms: BiasesAndNorms = "ignore",
) -> Direction:
    """Independent Gaussian coordinates, made comparable with the weights.

    filter: each slice of a weight tensor along its first axis (a filter, or the incoming weights of a unit) gets the
    norm of the weights' own slice (Li et al. 2018; of a transposed convolution, whose first axis is that of its inputs,
    as in their code a slice for each of these); layer: each tensor gets its norm; weight: each coordinate is
    multiplied by |w_i|; none: left as drawn. Biases and normalisation (tensors with one axis or none, all of the layers
    that normalise, the lengths in a weight norm) are not moved with "ignore"; with "scale" they count as one slice.
    Norms are over the coordinates only: with a mask, removed weights are not moved and do not count. Slices whose
    weights are all zero are not moved, save with "none".
    """
    coordinates = objective.coordinates
    drawn = coordinates.tensors(coordinates.extend(objective.normal(generator)))
    weights = coordinates.tensors(coordinates.extend(coordinates.point))
    own = _norms(objective.model)
    scaled = {}
    for name, draw in drawn.items():
        single = draw.ndim <= 1 or name in own
        ignored = single and biases_and_norms == "ignore"
        scaled[name] = torch.zeros_like(draw) if ignored else _scale(draw, weights[name], normalise, single)
    return described(coordinates.vector(scaled), coordinates)


def _norms(model: nn.Module) -> set[str]:
    """Parameters that normalise, whatever axes they have."""
    found: set[str] = set()
    for prefix, module in model.named_modules():
        names = [f"{prefix}.{name}".lstrip(".") for name, _ in module.named_parameters(recurse=False)]
        if isinstance(module, NORMS):
            found.update(names)
        elif isinstance(module, nn.utils.parametrize.ParametrizationList) and isinstance(module[0], _WeightNorm):
            found.update(name for name in names if name.endswith("original0"))
    return found


def _scale(draw: Tensor, weight: Tensor, normalise: Normalise, single: bool) -> Tensor:
    if normalise == "none" or not draw.numel():
        return draw
    if normalise == "weight":
        return draw * weight.abs()
    slices = len(weight) if normalise == "filter" and not single else 1
    rows, targets = draw.reshape(slices, -1), weight.reshape(slices, -1)  # (filters, weights of each)
    norms = rows.norm(dim=1, keepdim=True)
    factors = torch.where(norms > 0, targets.norm(dim=1, keepdim=True) / norms.clamp_min(1e-300), 0.0)
    return (rows * factors).view_as(draw)


def described(vector: Tensor, coordinates: Coordinates) -> Direction:
    """A direction of a surface from a displacement (d,), with its lengths."""
    norm, weight_norm = vector.norm().item(), coordinates.point.norm().item()
    return Direction(vector, norm, norm / weight_norm if weight_norm else math.nan)
