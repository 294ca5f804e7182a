"""Random directions to draw a loss surface along, scaled like the weights they move."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

if TYPE_CHECKING:
    from landscape.objective.coordinates import Coordinates
    from landscape.objective.objective import Objective

Normalise = Literal["filter", "layer", "weight", "none"]
BiasesAndNorms = Literal["ignore", "scale"]


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
    norm of the weights' own slice (Li et al. 2018); layer: each tensor gets its norm; weight: each coordinate is
    multiplied by |w_i|; none: left as drawn. Tensors with one axis or none (biases, normalisation) are not moved with
    "ignore"; with "scale" they count as one slice. Norms are over the coordinates only: with a mask, removed weights
    are not moved and do not count. Slices whose weights are all zero are not moved, save with "none".
    """
    coordinates = objective.coordinates
    drawn = coordinates.tensors(coordinates.extend(objective.normal(generator)))
    weights = coordinates.tensors(coordinates.extend(coordinates.point))
    scaled = {
        name: torch.zeros_like(draw)
        if draw.ndim <= 1 and biases_and_norms == "ignore"
        else _scale(draw, weights[name], normalise)
        for name, draw in drawn.items()
    }
    return described(coordinates.vector(scaled), coordinates)


def _scale(draw: Tensor, weight: Tensor, normalise: Normalise) -> Tensor:
    if normalise == "none":
        return draw
    if normalise == "weight":
        return draw * weight.abs()
    slices = len(weight) if normalise == "filter" and weight.ndim > 1 else 1
    rows, targets = draw.reshape(slices, -1), weight.reshape(slices, -1)  # (filters, weights of each)
    norms = rows.norm(dim=1, keepdim=True)
    factors = torch.where(norms > 0, targets.norm(dim=1, keepdim=True) / norms.clamp_min(1e-300), 0.0)
    return (rows * factors).view_as(draw)


def described(vector: Tensor, coordinates: Coordinates) -> Direction:
    """A direction of a surface from a displacement (d,), with its lengths."""
    norm, weight_norm = vector.norm().item(), coordinates.point.norm().item()
    return Direction(vector, norm, norm / weight_norm if weight_norm else math.nan)
