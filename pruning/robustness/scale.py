"""In which units inputs are perturbed, and within which range they stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from minima.store.command import BadInput
from minima.zoo.data.classes import split_classes
from minima.zoo.data.dataset import sources
from minima.zoo.data.labels import split_labels
from minima.zoo.examples.inputs import Inputs, leaves, mapped, ranges

if TYPE_CHECKING:
    from minima.zoo.subject.subject import Subject

SLACK = 1e-4
"""by which rounding may carry an input over the end of its range"""


@dataclass(frozen=True)
class Scale:
    """Inputs x = (u - mean) / std, per channel: perturbations are in units of u, and u stays in `range`."""

    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    range: tuple[float, float] | None = None
    """of u; None: perturbed inputs are not clipped"""

    def times(self, size: float, like: Tensor) -> Tensor:
        """A size in units of u, in those of inputs like these (n, channels, ...)."""
        return size / self._along(self.std, like)

    def clipped(self, x: Tensor) -> Tensor:
        """Inputs whose numbers u are clipped to their range."""
        if self.range is None:
            return x
        mean, std = self._along(self.mean, x), self._along(self.std, x)
        low, high = ((end - mean) / std for end in self.range)
        return torch.minimum(torch.maximum(x, low.to(x)), high.to(x))

    def plain(self, x: Inputs) -> Inputs:
        """The numbers u before normalisation that inputs x are made of."""
        return mapped(x, lambda leaf: leaf * self._along(self.std, leaf) + self._along(self.mean, leaf))

    def said(self) -> str:
        """The range of the inputs in words."""
        if self.range is None:
            return "inputs have no known range, and are not clipped"
        return f"inputs are clipped to [{self.range[0]:g}, {self.range[1]:g}]"

    def _along(self, values: Sequence[float], like: Tensor) -> Tensor:
        shape = (1, -1) + (1,) * (like.ndim - 2) if like.ndim > 1 else (1,)
        return torch.tensor(values, dtype=like.dtype, device=like.device).view(shape)


def scale_of(subject: Subject, typed: Sequence[float] | None) -> Scale:
    """How a subject's inputs are scaled, and their range before normalisation.

    That is what is `typed`, or what the data set declares (`Source.bounds`). Where an example lies outside of what was
    typed, that is refused; where it lies outside of a declared range, there is none.

    Raises:
        BadInput: the typed range is none, or does not hold the examples.
    """
    data = subject.checkpoint.data
    scale = Scale(tuple(data.get("mean", (0.0,))), tuple(data.get("std", (1.0,))))
    if typed is None:
        declared = _declared(str(data.get("spec", "")))
        fits = declared is not None and _holds(declared, _extent(subject, scale))
        return Scale(scale.mean, scale.std, declared if fits else None)
    low, high = typed
    if not low < high:
        raise BadInput(f"--input-range {low:g} {high:g}: expected the lower end first, such as 0 1")
    if not _holds((low, high), found := _extent(subject, scale)):
        raise BadInput(
            f"--input-range {low:g} {high:g}: the examples' numbers, before --mean and --std, lie in "
            f"[{found[0]:.4g}, {found[1]:.4g}].\nType a range that holds them"
        )
    return Scale(scale.mean, scale.std, (low, high))


def _declared(spec: str) -> tuple[float, float] | None:
    known = sources().get(split_classes(split_labels(spec)[0])[0])
    return None if known is None else known.bounds


def _holds(range_: tuple[float, float], extent: tuple[float, float] | None) -> bool:
    return extent is None or (range_[0] - SLACK <= extent[0] and extent[1] <= range_[1] + SLACK)


def _extent(subject: Subject, scale: Scale) -> tuple[float, float]:
    """The least and the largest number of the examples' floating inputs, before normalisation."""
    lows, highs = [float("inf")], [-float("inf")]
    for some in ranges(subject.x):
        for leaf in leaves(subject.x[some]):
            if leaf.is_floating_point():
                plain = scale.plain(leaf)
                lows.append(plain.min().item())
                highs.append(plain.max().item())
    return min(lows), max(highs)
