"""A network's tensors by name, and the network with other ones."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from minima.zoo.examples.inputs import Inputs, call

if TYPE_CHECKING:
    from torch import Tensor, nn


def contents(model: nn.Module) -> dict[str, Tensor]:
    """The state dict, each tensor with memory of its own; removed weights are the zeros that they are."""
    return {name: value.detach().clone().contiguous() for name, value in model.state_dict().items()}


def returned_with(tensors: Mapping[str, Tensor], model: nn.Module, x: Inputs) -> Any:
    """What the network returns for x once it holds these tensors, and none of its own."""
    import torch

    emptied = copy.deepcopy(model)
    with torch.no_grad():
        for value in emptied.state_dict().values():
            value.fill_(float("nan") if value.is_floating_point() or value.is_complex() else 0)
        emptied.load_state_dict(dict(tensors))
        return call(emptied, x)
