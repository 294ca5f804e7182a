"""Networks that are seen together: whether they can be, their weights, and what any of them kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.utils.parametrizations import _SpectralNorm

from minima.store.command import BadInput
from minima.zoo.examples.evaluation import evaluate
from minima.zoo.examples.inputs import part_of, same
from minima.zoo.subject.handed import copied

if TYPE_CHECKING:
    from torch import nn

    from minima.zoo.subject.subject import Subject

State = dict[str, Tensor]
"""a network's state dict: parameters and buffers by name"""
AGREEMENT = 1e-4
"""of a loss: rounding"""
CHECKED = slice(16)
"""examples on which two networks are compared"""


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
    return zeroed(subject.model.state_dict(), under_every_name(subject.masks, subject.model))


def under_every_name(masks: Mapping[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Masks by all names of the parameters that they are of: a state dict holds a shared tensor under each.

    >>> model = torch.nn.Sequential(torch.nn.Linear(1, 1, bias=False))
    >>> _ = model.append(model[0])
    >>> under_every_name({"0.weight": torch.tensor([[False]])}, model)
    {'0.weight': tensor([[False]]), '1.weight': tensor([[False]])}
    """
    every = dict(model.named_parameters(remove_duplicate=False))
    found: dict[str, Tensor] = {}
    for name, mask in masks.items():
        same_tensor = [other for other, parameter in every.items() if parameter is every.get(name)]
        found |= {other: mask & found[other] if other in found else mask for other in same_tensor or [name]}
    return found


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


def check_same_function(refusal: str, first: Subject, second: Subject) -> None:
    """Refuse two networks of other names, shapes or data, and such as compute something else with the same weights.

    What lies between them is computed by the first's module: with the second's state it must have the second's loss.
    Another activation, a constant that no state dict holds and whole numbers are of the module.

    Raises:
        BadInput: begun by `refusal` where names or shapes differ.
    """
    own, other = first.model.state_dict(), state_of(second)
    check_same_shapes(refusal, first.name, own, second.name, other)
    check_same_data(first, second)
    _check_spectral_norms(first, second)
    here, there = copied(first.model), copied(second.model)
    here.load_state_dict({name: other[name] if own[name].is_floating_point() else own[name] for name in own})
    there.load_state_dict(other)
    x, y = part_of(first.x, CHECKED), part_of(first.y, CHECKED)
    found, expected = (evaluate(each, x, y, task=first.task).loss for each in (here, there))
    if math.isfinite(expected) and not math.isclose(found, expected, rel_tol=AGREEMENT, abs_tol=AGREEMENT):
        raise BadInput(
            f"{first.name} and {second.name} compute something else with the same weights, a loss of {found:.6g} and "
            f"of {expected:.6g} on {len(x)} examples:\nmodules that differ in more than weights (activations, "
            "constants that no state dict holds, whole numbers in buffers) have nothing between them. Make both alike"
        )


def _check_spectral_norms(first: Subject, second: Subject) -> None:
    """Their vectors belong to a weight, and their sign is chance: between two networks they are of no use."""
    own = dict(second.model.named_modules())
    for name, module in first.model.named_modules():
        vector = module._buffers.get("_u") if isinstance(module, _SpectralNorm) else None
        if vector is not None and not torch.equal(vector, own[name]._buffers["_u"].to(vector.device)):
            raise BadInput(
                f"{first.name} and {second.name} have a spectral norm at {name.partition('.parametrizations')[0]}, "
                "whose singular vectors cannot be interpolated.\nMake the weights ordinary ones first, with "
                "torch.nn.utils.parametrize.remove_parametrizations(layer, 'weight')"
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
