"""Networks that are seen together: whether they can be, their weights, and what any of them kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from minima.store.command import BadInput
from minima.zoo.examples.inputs import same

if TYPE_CHECKING:
    from minima.zoo.subject.subject import Subject

State = dict[str, Tensor]
"""a network's state dict: parameters and buffers by name"""


def union(first: Mapping[str, Tensor], *others: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What any of several networks kept: masks by name (True = kept), those of all ones left out.

    >>> union({"v": torch.tensor([True, False]), "w": torch.tensor([True])}, {"v": torch.tensor([False, False])})
    {'v': tensor([ True, False])}
    """
    joined = dict(first)
    for other in others:
        joined = {name: mask | other[name].to(mask.device) for name, mask in joined.items() if name in other}
    return joined


def state_of(subject: Subject) -> State:
    """A subject's state with its removed weights at zero."""
    return zeroed(subject.model.state_dict(), subject.masks)


def zeroed(state: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> State:
    """A state with zeros where masks (True = kept) remove a weight.

    >>> zeroed({"w": torch.tensor([1.0, -2.0])}, {"w": torch.tensor([True, False])})
    {'w': tensor([1., 0.])}
    """
    return {
        name: value.where(masks[name].to(value.device), 0.0) if name in masks else value
        for name, value in state.items()
    }


def parameters(subject: Subject, state: Mapping[str, Tensor]) -> Tensor:
    """(D,) the parameters in a state of the subject's network, in registration order, in float64."""
    return torch.cat([state[name].double().flatten() for name, _ in subject.model.named_parameters()])


def check_same_data(first: Subject, second: Subject) -> None:
    """Refuse networks whose losses are of different data."""
    if not same(first.x, second.x):
        raise BadInput(
            f"{first.name} and {second.name} were trained on different data or preprocessing: say which with --data"
        )


def check_same_shapes(
    refusal: str, first: str, own: Mapping[str, Tensor], second: str, other: Mapping[str, Tensor]
) -> None:
    """Raise a BadInput, begun by `refusal`, for two networks' states with other names or shapes."""
    states = [{name: tuple(value.shape) for name, value in state.items()} for state in (own, other)]
    names = sorted(states[0].keys() | states[1].keys())
    for name in names:
        here, there = (state.get(name, "absent") for state in states)
        if here != there:
            raise BadInput(f"{refusal}: {name} is {here} in {first} and {there} in {second}")
