"""A curve between the weights of two networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from landscape.objective.comparable import State, check_same_function
from landscape.path.curve import Curve

if TYPE_CHECKING:
    from minima.zoo.subject.subject import Subject


@dataclass(frozen=True)
class Arc:
    """A curve with its ends and, where it is bent, its bend.

    >>> import torch
    >>> from landscape.path.curves.line import Line
    >>> Arc(Line(), {"w": torch.tensor([1.0])}, {"w": torch.tensor([3.0])}).at(0.5)
    {'w': tensor([2.])}
    """

    curve: Curve
    first: State
    last: State
    bend: State | None = None
    """parameters only"""

    def at(self, t: float) -> State:
        """The state at t, summed in float64. Whole numbers are the first end's, buffers lie on the straight line."""
        bent = {**self.first, **(self.bend or {})}
        shares = dict.fromkeys(self.first, (1 - t, 0.0, t)) | dict.fromkeys(self.bend or (), self.curve.shares(t))
        return {
            name: _weighted(shares[name], (value, bent[name], self.last[name])).to(value.dtype)
            if value.is_floating_point()
            else value
            for name, value in self.first.items()
        }


def check_ends(first: Subject, second: Subject) -> None:
    """Refuse networks that no curve joins, or whose losses are of different data."""
    check_same_function("there is no path between networks of different shape", first, second)


def _weighted(shares: tuple[float, ...], values: tuple[Tensor, ...]) -> Tensor:
    parts = [share * value.double() for share, value in zip(shares, values, strict=True) if share]
    return sum(parts[1:], parts[0])
