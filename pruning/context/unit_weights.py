"""The weights of units: those that make them, and those that read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

    from minima.zoo.anatomy.unit_groups import UnitGroup


def owner(model: nn.Module, name: str) -> nn.Module:
    """The module that a parameter belongs to."""
    return model.get_submodule(name.rpartition(".")[0])


def is_norm(module: nn.Module) -> bool:
    """Whether a module normalises."""
    from torch import nn

    return isinstance(module, nn.modules.batchnorm._NormBase | nn.LayerNorm | nn.GroupNorm)


def of_units(tensor: Tensor, axis: int, places: Any) -> Tensor:
    """(size, n): each unit's entries of a tensor that has them along an axis, at `places` (size, entries).

    >>> import torch
    >>> of_units(torch.tensor([[1.0, 2], [3, 4]]), 1, torch.tensor([[0], [1]])).tolist()
    [[1.0, 3.0], [2.0, 4.0]]
    """
    import torch

    along = tensor.movedim(axis, 0).flatten(1) if tensor.ndim > 1 else tensor[:, None]
    return along[torch.as_tensor(places, device=tensor.device)].flatten(1)


def filters(weights: Mapping[str, Tensor], group: UnitGroup) -> Tensor:
    """(size, d) in float64: the weights that make each unit, of all layers that do, side by side; no biases, no
    normalisations."""
    import torch

    rows = [
        of_units(weights[name].detach().double(), axis, places)
        for (name, axis), places in group.made.items()
        if name in weights
    ]
    return torch.cat(rows, 1)
