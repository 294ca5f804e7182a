"""LOBSTER's update by neuron: neurons to which the loss is insensitive shrink (Tartaglione et al., published code)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput
from minima.zoo.anatomy.neurons import layers, over_positions, potentials
from minima.zoo.examples.evaluation import evaluating
from pruning.updates.insensitivity import insensitivity
from pruning.updates.neuron_insensitivity import shrink

if TYPE_CHECKING:
    from torch import Tensor, nn

    from minima.zoo.examples.task import Task
    from minima.zoo.training.loop import Step

MOMENTUM = 0.9
"""of the running sum of slopes (the authors' code)"""


@dataclass(frozen=True)
class NeuronLossInsensitivity:
    """With s_i the mean over examples and positions of dL/dz_i, z_i the neuron's potential and L the mini-batch's mean
    loss, at the weights before the step and in eval mode, and b_i <- 0.9 b_i + s_i (at first s_i):

    w' = w - step(g), then w' (1 - strength x max(0, 1 - |b_i|)) for the weights and the bias of each neuron

    With `rescaled`, |b_i| is divided by the largest of the layer. The strength is not multiplied by the learning rate.
    """

    strength: float
    rescaled: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise BadInput(f"--strength {self.strength}: expected the fraction of a weight a step takes, 0 to 1")

    def around(self, model: nn.Module) -> Callable[[Step], None]:
        def act(step: Step) -> None:
            for name, slope in slopes(model, step.x, step.y, step.task).items():
                key = f"neurons of {name}"
                step.memory[key] = MOMENTUM * step.memory[key] + slope if key in step.memory else slope
            step()
            running = {name: step.memory.get(f"neurons of {name}") for name in layers(model)}
            sizes = {name: each.abs() for name, each in running.items() if each is not None}
            if self.rescaled:
                sizes = {name: size / size.max().clamp(min=1e-10) for name, size in sizes.items()}
            shrink(model, {name: insensitivity(size) for name, size in sizes.items()}, self.strength, biases=True)

        return act


def slopes(model: nn.Module, x: Any, y: Any, task: Task) -> dict[str, Tensor]:
    """(units,) by layer that something trained is in or before: the mean over examples and positions of dL/dz_i, L
    being the mean loss of these examples."""
    import torch

    called = layers(model)
    with evaluating(model), torch.enable_grad(), potentials(model) as found:
        loss = task.mean(model, x, y)
        trained = {name: z for name, z in found.items() if z.requires_grad}
        all_slopes = torch.autograd.grad(loss, list(trained.values()), materialize_grads=True)
    return {name: over_positions(slope, called[name]) for name, slope in zip(trained, all_slopes, strict=True)}
