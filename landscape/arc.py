"""A curve between the weights of two networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from landscape.curve import Curve
from store.command import BadInput

if TYPE_CHECKING:
    from zoo.subject import Subject

State = dict[str, Tensor]
"""a network's state dict: parameters and buffers by name"""


@dataclass(frozen=True)
class Arc:
    """A curve with its ends and, where it is bent, its bend.

    >>> from landscape.curves.line import Line
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


def union(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What either of two networks kept: masks by name (True = kept), those of all ones left out."""
    return {name: mask | second[name] for name, mask in first.items() if name in second}


def state_of(subject: Subject) -> State:
    """A subject's state with its removed weights at zero."""
    return {
        name: value * subject.masks[name] if name in subject.masks else value
        for name, value in subject.model.state_dict().items()
    }


def parameters(subject: Subject, state: Mapping[str, Tensor]) -> Tensor:
    """(D,) the parameters in a state of the subject's network, in registration order, in float64."""
    return torch.cat([state[name].double().flatten() for name, _ in subject.model.named_parameters()])


def check_comparable(first: Subject, second: Subject) -> None:
    """Refuse networks that no curve joins, or whose losses are of different data."""
    states = [_shapes(subject) for subject in (first, second)]
    differing = [name for name in states[0].keys() | states[1].keys() if states[0].get(name) != states[1].get(name)]
    if differing:
        name = min(differing)
        raise BadInput(
            f"there is no path between networks of different shape: {name} is {states[0].get(name, 'absent')} in "
            f"{first.name} and {states[1].get(name, 'absent')} in {second.name}"
        )
    if first.x.shape != second.x.shape or not torch.equal(first.x, second.x):
        raise BadInput(
            f"{first.name} and {second.name} were trained on different data or preprocessing: say which with --data"
        )


def _shapes(subject: Subject) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in subject.model.state_dict().items()}


def _weighted(shares: tuple[float, ...], values: tuple[Tensor, ...]) -> Tensor:
    parts = [share * value.double() for share, value in zip(shares, values, strict=True) if share]
    return sum(parts[1:], parts[0])
