"""The optimiser's step, by torch's functional forms.

Its optimiser classes exempt their methods from compilation, and for that import the compiler: a second at the start of
every training, which this does without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.sgd import sgd

from minima.zoo.training.recipe import Recipe

ADAM_SECOND_DECAY, ADAM_EPSILON = 0.999, 1e-8


class Update:
    """SGD (momentum, Nesterov) or Adam on `parameters`, with L2 weight decay: equal to torch's classes bit for bit."""

    def __init__(self, recipe: Recipe, parameters: Sequence[Tensor]) -> None:
        self.recipe, self.parameters = recipe, parameters
        names = ["mean", "square"] if recipe.optimiser == "adam" else ["momentum"] if recipe.momentum else []
        self.slots = {name: [torch.zeros_like(p, requires_grad=False) for p in parameters] for name in names}
        self.steps = [torch.zeros(()) for _ in parameters]

    def slots_of(self, parameter: Tensor) -> list[Tensor]:
        """A parameter's moments, of its shape; none where it is not trained."""
        return [slots[i] for slots in self.slots.values() for i, p in enumerate(self.parameters) if p is parameter]

    def step(self, rate: float) -> None:
        """Move the parameters that have a gradient."""
        moved = [index for index, parameter in enumerate(self.parameters) if parameter.grad is not None]
        parameters = [self.parameters[index] for index in moved]
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        slots = {name: [each[index] for index in moved] for name, each in self.slots.items()}
        with torch.no_grad():
            if self.recipe.optimiser == "adam":
                self._adam(parameters, gradients, slots, [self.steps[index] for index in moved], rate)
            else:
                self._sgd(parameters, gradients, slots, rate)

    def _sgd(self, parameters: list[Tensor], gradients: list[Tensor], slots: Any, rate: float) -> None:
        sgd(
            parameters,
            gradients,
            slots.get("momentum", [None] * len(parameters)),
            fused=True,
            lr=rate,
            momentum=self.recipe.momentum,
            nesterov=self.recipe.nesterov and self.recipe.momentum > 0,
            weight_decay=self.recipe.weight_decay,
            dampening=0,
            maximize=False,
        )

    def _adam(self, parameters: list[Tensor], gradients: list[Tensor], slots: Any, steps: Any, rate: float) -> None:
        adam(
            parameters,
            gradients,
            slots["mean"],
            slots["square"],
            [],
            steps,
            foreach=False,
            lr=rate,
            beta1=self.recipe.momentum,
            beta2=ADAM_SECOND_DECAY,
            eps=ADAM_EPSILON,
            weight_decay=self.recipe.weight_decay,
            amsgrad=False,
            maximize=False,
        )

    def state_dict(self) -> dict[str, Any]:
        """Slots and step counts, the live tensors."""
        return {"slots": self.slots, "steps": self.steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave, the tensors themselves."""
        self.slots, self.steps = state["slots"], state["steps"]
