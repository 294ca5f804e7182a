"""Training that makes the loss rise around a few weights, which stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
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
    L alone counts. Both passes drop the same units, so that the rise is that of one function, and buffers are those of
    the pass at w. A weight that training leaves frozen has its part in g_K; one that the loss does not depend on has 0.
    """

    def objective(model: nn.Module, x: Inputs, y: Any) -> Tensor:
        held = {name: model.get_parameter(name) for name in places}
        weights: dict[str, Tensor] = {
            name: weight if weight.requires_grad else weight.detach().requires_grad_() for name, weight in held.items()
        }
        positional, named = arguments(x)

        def level(tensors: Mapping[str, Tensor]) -> Tensor:
            return task.loss.mean(task.picked(functional_call(model, tensors, positional, named)), y)

        again = _noise(x)
        loss = level(weights)
        slopes = torch.autograd.grad(
            loss, list(weights.values()), retain_graph=True, allow_unused=True, materialize_grads=True
        )
        own = {name: slope * places[name] for name, slope in zip(weights, slopes, strict=True)}
        norm = torch.stack([slope.square().sum() for slope in own.values()]).sum().sqrt().clamp(min=1e-30)
        moved = {name: weights[name] + rho * slope / norm for name, slope in own.items()}
        buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
        with again():
            rise = level(moved | buffers) - loss
        return loss - strength * rise.tanh().clamp(min=SMALLEST).log()

    return objective


def _noise(x: Inputs) -> Callable[[], AbstractContextManager[None]]:
    """What dropout draws from here on, to be drawn once more: a block that does so, behind which all is as before."""
    device = x.device if x.is_cuda else None
    own, theirs = torch.get_rng_state(), None if device is None else torch.cuda.get_rng_state(device)

    @contextmanager
    def again() -> Iterator[None]:
        with torch.random.fork_rng(devices=[] if device is None else [device]):
            torch.set_rng_state(own)
            if theirs is not None and device is not None:
                torch.cuda.set_rng_state(theirs, device)
            yield

    return again
