"""Training that makes the loss rise around a few weights, which stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from minima.zoo.examples.functional import functional_call
from minima.zoo.examples.inputs import Inputs, arguments

if TYPE_CHECKING:
    from minima.zoo.examples.task import Task

SMALLEST = 1e-9
"""of a rise that is seen"""
Objective = Callable[[nn.Module, Inputs, Any], Tensor]


def sharpened(task: Task, places: Mapping[str, Tensor], rho: float, strength: float) -> Objective:
    """What a step goes down: L(w) - strength log tanh(L(w + eps) - L(w)), eps = rho g_K / ||g_K|| on the weights K.

    L is the loss of a mini-batch, g_K its gradient in K; eps is held while the rest is differentiated, as in SAM, which
    goes down where this goes up (Foret et al. 2021). Small rises count by their logarithm, so that e times the rise is
    worth `strength` of the loss whatever its size, and one beyond 1 is worth no more; where the loss falls along eps,
    L alone counts. Buffers are those of the pass at w.
    """

    def objective(model: nn.Module, x: Inputs, y: Any) -> Tensor:
        loss = task.mean(model, x, y)
        parameters = {name: model.get_parameter(name) for name in places}
        slopes = torch.autograd.grad(loss, list(parameters.values()), retain_graph=True)
        own = {name: slope * places[name] for name, slope in zip(parameters, slopes, strict=True)}
        norm = torch.stack([slope.square().sum() for slope in own.values()]).sum().sqrt().clamp(min=1e-30)
        moved = {name: parameters[name] + rho * slope / norm for name, slope in own.items()}
        buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
        positional, named = arguments(x)
        returned = functional_call(model, moved | buffers, positional, named)
        rise = task.loss.mean(task.picked(returned), y) - loss
        return loss - strength * rise.tanh().clamp(min=SMALLEST).log()

    return objective
