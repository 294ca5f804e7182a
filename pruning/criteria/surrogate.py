"""The surrogate of a network: the same, with Gaussian weights."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING

from minima.zoo.anatomy.prunable import prunable

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn


def surrogate(model: nn.Module, masks: Mapping[str, Tensor], draws: Generator) -> nn.Module:
    """A copy in which the weights of every convolution and linear layer that the mask keeps are redrawn from a Gaussian
    of their mean and standard deviation (over the layer, with n - 1); all else, the mask too, is as it was."""
    import torch

    found = deepcopy(model)
    with torch.no_grad():
        for name, weight in prunable(found).items():
            kept = masks.get(name, torch.ones_like(weight, dtype=torch.bool))
            values = weight[kept].double()
            if len(values) > 1:
                noise = torch.randn(len(values), generator=draws, dtype=torch.float64).to(values.device)
                weight[kept] = (values.mean() + values.std() * noise).to(weight.dtype)
    return found
