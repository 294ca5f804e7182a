"""Which weights sparsity is counted over."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def prunable(model: nn.Module) -> dict[str, nn.Parameter]:
    """Weights of convolutions and linear layers by parameter name, in registration order; a shared tensor once.

    Biases and normalisation parameters are neither counted nor removed.
    """
    from torch import nn

    layers = (nn.Linear, nn.modules.conv._ConvNd)
    # not `module.weight`: of a reparametrised layer that computes it, and in training mode changes its buffers
    weights = {id(module._parameters.get("weight")) for module in model.modules() if isinstance(module, layers)}
    return {name: parameter for name, parameter in model.named_parameters() if id(parameter) in weights}
