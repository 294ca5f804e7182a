"""SeReNe's update: neurons to which the outputs are insensitive shrink (Tartaglione et al. 2022)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from minima.store.command import BadInput
from minima.zoo.anatomy.neurons import layers, over_positions, potentials
from minima.zoo.examples.evaluation import evaluating
from pruning.updates.insensitivity import insensitivity

if TYPE_CHECKING:
    from torch import Tensor, nn

    from minima.zoo.examples.task import Task
    from minima.zoo.training.loop import Step

Sensitivity = Literal["full", "lower-bound", "local"]


@dataclass(frozen=True)
class NeuronInsensitivity:
    """w' = w - step(g), then w' (1 - strength x insensitivity) for all weights that make a neuron, of linear layers and
    convolutions; biases stay. The sensitivity S is that of the mini-batch at the weights before the step, in eval mode
    (see `sensitivities`), and the insensitivity max(0, 1 - S).

    The strength is not multiplied by the learning rate.
    """

    strength: float
    sensitivity: Sensitivity = "lower-bound"

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise BadInput(f"--strength {self.strength}: expected the fraction of a weight a step takes, 0 to 1")

    def around(self, model: nn.Module) -> Callable[[Step], None]:
        def act(step: Step) -> None:
            found = sensitivities(model, step.x, step.task, self.sensitivity)
            step()
            shrink(model, {name: insensitivity(each) for name, each in found.items()}, self.strength)

        return act


def sensitivities(model: nn.Module, x: Any, task: Task, kind: Sensitivity) -> dict[str, Tensor]:
    """(units,) of every linear layer and convolution that is called, by its name; slopes of those alone that something
    trained is in or before. With y_k the C outputs of an example
    and z_i a neuron's potential, each averaged over examples and positions,

    full         (1/C) sum_k |dy_k/dz_i|
    lower-bound  (1/C) |sum_k dy_k/dz_i|: one derivative in the place of C, and never more than full
    local        1 where the mean of z_i is above 0, else 0

    The averages are over single examples' values, so that the size of the batch does not matter.
    """
    import torch

    called = layers(model)
    with evaluating(model), torch.enable_grad(), potentials(model) as found:
        outputs = task.outputs(model, x).reshape(len(x), -1)
        if kind == "local":
            means = {name: over_positions(z.detach(), called[name]) for name, z in found.items()}
            return {name: (mean > 0).to(mean.dtype) for name, mean in means.items()}
        trained = {name: z for name, z in found.items() if z.requires_grad}
        total: dict[str, Any] = dict.fromkeys(trained, 0.0)
        for each in outputs.sum(1, keepdim=True).T if kind == "lower-bound" else outputs.T:
            slopes = torch.autograd.grad(each.sum(), list(trained.values()), retain_graph=True, materialize_grads=True)
            for name, slope in zip(trained, slopes, strict=True):
                total[name] = total[name] + over_positions(slope.abs(), called[name]) / outputs.shape[1]
    return total


def shrink(model: nn.Module, lost: dict[str, Tensor], strength: float, biases: bool = False) -> None:
    """w (1 - strength x lost_i) for the weights, and the biases, of neuron i of each layer; frozen ones stay."""
    import torch

    with torch.no_grad():
        for name, layer in layers(model).items():
            if name not in lost:
                continue
            names = ("weight", "bias") if biases else ("weight",)
            for parameter in (each for each in map(layer._parameters.get, names) if each is not None):
                if parameter.requires_grad:
                    parameter.mul_(1 - strength * lost[name].view(-1, *[1] * (parameter.ndim - 1)))
