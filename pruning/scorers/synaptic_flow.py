"""Synaptic flow (Tanaka et al. 2020, SynFlow)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn

    from pruning.context import Context


@dataclass(frozen=True)
class SynapticFlow:
    """w dR/dw, R being the sum of the outputs for an input of ones with every parameter at its absolute value.

    No data. In a network of layers and ReLU the scores of each layer sum to R, and what comes into a unit goes out. In
    float64, in which R of a deep network does not overflow. Batch norm is in eval mode, a positive linear map: its
    running mean counts as 0, so that nothing is negative; of a network that was not trained it is 0.
    """

    def score(self, context: Context) -> dict[str, Tensor]:
        import torch
        from torch.func import functional_call

        from zoo.evaluation import evaluating

        state = _positive(context.model)
        flowing = {name: state[name].requires_grad_() for name in context.weights}
        ones = torch.ones_like(context.x[:1], dtype=torch.float64)
        with evaluating(context.model), torch.enable_grad():
            flow = functional_call(context.model, state, (ones,)).sum()
            slopes = torch.autograd.grad(flow, list(flowing.values()), materialize_grads=True)
        return {name: flowing[name].detach() * slope for name, slope in zip(flowing, slopes, strict=True)}


def _positive(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers in float64, at their absolute values; running means 0."""
    import torch
    from torch.nn.modules.batchnorm import _NormBase

    means = {id(module.running_mean) for module in model.modules() if isinstance(module, _NormBase)}
    tensors = dict(model.named_parameters()) | dict(model.named_buffers())

    def positive(tensor: Tensor) -> Tensor:
        if not tensor.is_floating_point():
            return tensor.clone()
        return torch.zeros_like(tensor).double() if id(tensor) in means else tensor.detach().double().abs()

    return {name: positive(tensor) for name, tensor in tensors.items()}
