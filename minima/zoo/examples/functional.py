"""A pass with other tensors in the place of a network's own parameters and buffers, whose own come back after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


def functional_call(
    model: nn.Module, tensors: Mapping[str, Tensor], positional: Any, named: Mapping[str, Any] | None = None
) -> Any:
    """What a network returns with `tensors`, by name, in the place of its own; a tied tensor is replaced everywhere.

    As torch's, which leaves its own tensors in a module that the network holds under several names.

    >>> layer = nn.Linear(1, 1, bias=False)
    >>> own = layer.weight
    >>> twice = nn.Sequential(layer, nn.ReLU(), layer)
    >>> functional_call(twice, {"0.weight": torch.tensor([[3.0]])}, (torch.ones(1),)), layer.weight is own
    (tensor([9.]), True)
    """
    return torch.func.functional_call(
        model, by_place(model, tensors), positional, None if named is None else dict(named), tie_weights=False
    )


def by_place(model: nn.Module, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under one name for each place that holds what they replace: several places where it is tied, one for
    a module under several names."""
    places: dict[int, list[str]] = {}
    for prefix, module in model.named_modules():
        for own in (module._parameters, module._buffers):
            for name, tensor in own.items():
                if tensor is not None:
                    places.setdefault(id(tensor), []).append(f"{prefix}.{name}".lstrip("."))
    ids = {
        name: id(tensor)
        for found in (model.named_parameters, model.named_buffers)
        for name, tensor in found(remove_duplicate=False)
    }
    return {place: tensor for name, tensor in tensors.items() for place in places.get(ids.get(name, 0), [name])}
