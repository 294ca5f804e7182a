"""Synaptic flow (Tanaka et al. 2020, SynFlow)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import Several, arguments

if TYPE_CHECKING:
    from torch import Tensor, nn

    from pruning.context.context import Context


SMALL = 2.0**-332
"""of the input and all that is added, while scores are computed; a power of two, so that it rounds nothing"""


@dataclass(frozen=True)
class SynapticFlow:
    """w dR/dw, R being the sum of the outputs for an input of ones with every parameter at its absolute value.

    No data. In a network of layers and ReLU the scores of each layer sum to R, and what comes into a unit goes out. In
    float64, in which R of a deep network does not overflow. Batch norm is in eval mode, a positive linear map: its
    running mean counts as 0, so that nothing is negative; of a network that was not trained it is 0. Input and biases
    are taken in the limit of small ones, which changes nothing there, while ReLU6 or tanh would saturate and pass none.
    Layer norm and attention do not conserve the flow. Whole numbers in the input, such as tokens, are those of the
    first example: ones would be another token. Of several outputs R is the sum of the one that is judged.
    """

    def score(self, context: Context) -> dict[str, Tensor]:
        import torch

        from minima.zoo.examples.functional import functional_call

        state = _positive(context.model)
        flowing = {name: state[name].requires_grad_() for name in context.weights}
        first = context.x[:1]
        ones = first.map(_ones) if isinstance(first, Several) else _ones(first)
        with evaluating(context.model), torch.enable_grad():
            flow = context.task.picked(functional_call(context.model, state, *arguments(ones))).sum()
            slopes = torch.autograd.grad(flow, list(flowing.values()), materialize_grads=True)
        return {name: flowing[name].detach() * slope / SMALL for name, slope in zip(flowing, slopes, strict=True)}


def _ones(leaf: Tensor) -> Tensor:
    """What goes in: `SMALL` in the place of every number, whole numbers as they are."""
    import torch

    return torch.full_like(leaf, SMALL, dtype=torch.float64) if leaf.is_floating_point() else leaf


def _positive(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers in float64, at their absolute values; what is added times `SMALL`, running means 0."""
    from torch.nn.modules.batchnorm import _NormBase

    means = {id(module.running_mean) for module in model.modules() if isinstance(module, _NormBase)}

    def positive(tensor: Tensor, factor: float) -> Tensor:
        return factor * tensor.detach().double().abs() if tensor.is_floating_point() else tensor.clone()

    parameters = {
        name: positive(parameter, 1.0 if "weight" in name.rpartition(".")[2] else SMALL)
        for name, parameter in model.named_parameters()
    }
    return parameters | {
        name: positive(buffer, 0.0 if id(buffer) in means else 1.0) for name, buffer in model.named_buffers()
    }
