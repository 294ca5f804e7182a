"""Convex sets around the weights, and the ways uphill inside them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor

ON_THE_RIM = 1e-6
"""of the radius: how far inside a point of the rim may lie, by rounding"""
SHARES = (2.0, 8.0, 32.0)
"""times the mean: the first-order gain from which on a coordinate of a box is moved, where all at once are too many"""


class Neighbourhood(Protocol):
    """A convex set of displacements (d,) around 0, and what a step of an ascent is in its geometry."""

    ways: ClassVar[int]
    """how many kinds of steps there are; the first is tried first"""
    longest: ClassVar[tuple[float, ...]]
    """of each kind: the longest reach that means something"""

    @property
    def width(self) -> float:
        """How wide the set is: of two sets of one shape the wider one holds the other."""

    def project(self, displacement: Tensor) -> Tensor:
        """The point (d,) of the set that is nearest to a displacement (d,)."""

    def furthest(self, gradient: Tensor) -> Tensor:
        """The point delta (d,) of the set at which gradient . delta is largest; 0 where the gradient is 0."""

    def candidate(self, point: Tensor, gradient: Tensor, way: int, reach: float) -> Tensor:
        """Where a step leads from a point (d,) of the set; it stays inside.

        Args:
            point: where it begins.
            gradient: (d,) of the function that is climbed, there.
            way: which kind of step, from 0 to `ways` - 1.
            reach: how far, 1 being the usual length of its kind.
        """

    def slopes(self, point: Tensor, candidate: Tensor, before: Tensor, after: Tensor) -> tuple[float, float]:
        """How fast the function rises along a step, where it begins and where it ends.

        Args:
            point, candidate: both ends, (d,).
            before, after: the function's gradients there, (d,).

        Returns:
            both slopes, in the function's unit for a whole step.
        """


@dataclass(frozen=True)
class Ball:
    """Displacements of at most `radius` in the Euclidean norm: ||delta||_2 <= radius.

    On the rim a step goes along the great circle uphill; one of reach 1 ends where the gradient points, which at a
    minimum is a step of the power iteration. Where the gradient points inward it is a straight one.
    """

    radius: float
    ways: ClassVar[int] = 2
    longest: ClassVar[tuple[float, ...]] = (math.inf, 2.0)

    @property
    def width(self) -> float:
        """How wide the ball is: its radius."""
        return self.radius

    def project(self, displacement: Tensor) -> Tensor:
        """The nearest displacement inside the ball: what lies outside is shrunk to its radius."""
        norm = displacement.norm()
        return displacement if norm <= self.radius else displacement * (self.radius / norm)

    def furthest(self, gradient: Tensor) -> Tensor:
        """Where a first-order step on the ball leads, radius g / ||g||; 0 where the gradient is zero."""
        norm = gradient.norm()
        return gradient * (self.radius / norm) if norm > 0 else torch.zeros_like(gradient)

    def candidate(self, point: Tensor, gradient: Tensor, way: int, reach: float) -> Tensor:
        """Along the rim (way 0, on it), or straight uphill and back into the ball."""
        if way or not self._on_rim(point):
            return self.project(point + reach * self.furthest(gradient))
        out = point / point.norm()
        outward = (gradient @ out).item()
        across = gradient - outward * out
        length = across.norm().item()
        if not length > 0:
            return point
        angle = min(reach * math.atan2(length, outward), math.pi / 2)
        return self.radius * (math.cos(angle) * out + math.sin(angle) / length * across)

    def slopes(self, point: Tensor, candidate: Tensor, before: Tensor, after: Tensor) -> tuple[float, float]:
        """Along the great circle between points of the rim, else along the straight line."""
        if not (self._on_rim(point) and self._on_rim(candidate)):
            return _along(candidate - point, before, after)
        start, end = point / point.norm(), candidate / candidate.norm()
        cosine = max(-1.0, min(1.0, (start @ end).item()))
        angle = math.acos(cosine)
        if not math.sin(angle) > 0:
            return _along(candidate - point, before, after)
        scale = self.radius * angle / math.sin(angle)
        return scale * (before @ (end - cosine * start)).item(), scale * (after @ (cosine * end - start)).item()

    def _on_rim(self, point: Tensor) -> bool:
        return point.norm().item() >= self.radius * (1 - ON_THE_RIM)


@dataclass(frozen=True)
class Box:
    """Displacements inside a box around the weights: |delta_i| <= half_widths_i.

    The first kind of step goes to the vertex uphill; then of its coordinates those only that promise most; last along
    the gradient in units of the box, which spares settled coordinates.
    """

    half_widths: Tensor | float
    ways: ClassVar[int] = 2 + len(SHARES)
    longest: ClassVar[tuple[float, ...]] = (1.0,) * (1 + len(SHARES)) + (math.inf,)

    @property
    def width(self) -> float:
        """How wide the box is: its largest half width."""
        return float(torch.as_tensor(self.half_widths).max())

    def project(self, displacement: Tensor) -> Tensor:
        """The nearest displacement inside the box: each coordinate clipped to its half width."""
        limit = torch.as_tensor(self.half_widths, dtype=displacement.dtype, device=displacement.device)
        return displacement.clamp(-limit, limit)

    def furthest(self, gradient: Tensor) -> Tensor:
        """The vertex half_widths sign(g)."""
        return self.half_widths * gradient.sign()

    def candidate(self, point: Tensor, gradient: Tensor, way: int, reach: float) -> Tensor:
        """Towards the vertex uphill (way 0), some of the way there in some coordinates, or along the gradient."""
        if way == self.ways - 1:
            scaled = self.half_widths * gradient
            return self.project(point + reach * self.half_widths * scaled / scaled.abs().max().clamp_min(1e-300))
        towards = torch.where(gradient == 0, 0.0, self.furthest(gradient) - point)
        if way:
            gain = towards * gradient
            towards = torch.where(gain >= SHARES[way - 1] * gain.mean(), towards, 0.0)
        return point + reach * towards

    def slopes(self, point: Tensor, candidate: Tensor, before: Tensor, after: Tensor) -> tuple[float, float]:
        """Along the straight line."""
        return _along(candidate - point, before, after)


def _along(step: Tensor, before: Tensor, after: Tensor) -> tuple[float, float]:
    return (before @ step).item(), (after @ step).item()
