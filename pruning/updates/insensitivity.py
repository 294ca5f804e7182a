"""LOBSTER's update: weights to which the loss is insensitive shrink (Tartaglione et al. 2022)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from minima.store.command import BadInput

if TYPE_CHECKING:
    from torch import Tensor, nn

    from minima.zoo.training.loop import Step

Form = Literal["code", "paper"]


@dataclass(frozen=True)
class Insensitivity:
    """LOBSTER's update with g = dL/dw of the mini-batch and the insensitivity max(0, 1 - |g|), of every trainable
    parameter:

    code form   w' = w - step(g),  then  w' (1 - strength x insensitivity)
    paper form  w - step(g) - strength x w x insensitivity, all at the old w

    The strength is not multiplied by the learning rate.
    """

    strength: float
    form: Form = "code"

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:  # beyond 1 a weight would change its sign
            raise BadInput(f"--strength {self.strength}: expected the fraction of a weight a step takes, 0 to 1")

    def around(self, model: nn.Module) -> Callable[[Step], None]:
        parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        shrink = _after_the_step if self.form == "code" else _at_the_old_weights
        return lambda step: shrink(parameters, self.strength, step)


def insensitivity(gradient: Tensor) -> Tensor:
    """The insensitivity of each weight, max(0, 1 - |g|).

    >>> import torch
    >>> insensitivity(torch.tensor([0.25, -1.5])).tolist()
    [0.75, 0.0]
    """
    return (1 - gradient.abs()).clamp(min=0)


def _after_the_step(parameters: list[nn.Parameter], strength: float, step: Step) -> None:
    import torch

    step()
    with torch.no_grad():
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.mul_(1 - strength * insensitivity(parameter.grad))


def _at_the_old_weights(parameters: list[nn.Parameter], strength: float, step: Step) -> None:
    import torch

    moved = [(parameter, parameter.grad) for parameter in parameters if parameter.grad is not None]
    with torch.no_grad():
        pulls = [strength * parameter * insensitivity(gradient) for parameter, gradient in moved]
        step()
        for (parameter, _), pull in zip(moved, pulls, strict=True):
            parameter.sub_(pull)
