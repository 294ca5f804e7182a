"""Learning from the outputs of the network as it was before (Hinton et al. 2015; ICE-Pruning: Hu et al. 2025)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput
from minima.zoo.losses.named.cross_entropy import CrossEntropy

if TYPE_CHECKING:
    from torch import Tensor, nn

    from minima.store.checkpoints.checkpoint import Checkpoint
    from minima.zoo.training.loop import Trainer


@dataclass(frozen=True)
class Distillation:
    """A step goes down the task's loss + sum_k q_k log(q_k / p_k), averaged over the mini-batch, with p the softmax of
    the logits / temperature and q the same of the parent, in eval mode."""

    temperature: float = 2.0

    def objective(self, trainer: Trainer, parent: Checkpoint) -> Callable[[nn.Module, Any, Any], Tensor]:
        """The function (model, x, y) that the trainer's steps go down.

        Raises:
            BadInput: the loss is no cross-entropy of logits.
        """
        import torch

        task = trainer.task
        if not isinstance(task.loss, CrossEntropy):
            raise BadInput(
                f"--distil learns from the parent's logits beside a cross-entropy, and the loss is {task.loss.name}.\n"
                "Type --no-distil, in Python give the method distil=False"
            )
        teacher = copy.deepcopy(trainer.model).eval()
        teacher.load_state_dict(dict(parent.state))

        def objective(model: nn.Module, x: Any, y: Any) -> Tensor:
            with torch.no_grad():
                goal = task.outputs(teacher, x)
            outputs = task.outputs(model, x)
            return task.loss.mean(outputs, y) + divergence(outputs, goal, self.temperature)

        return objective


def divergence(outputs: Tensor, goal: Tensor, temperature: float) -> Tensor:
    """Mean over examples of the Kullback-Leibler divergence from the goal's softmax to the outputs', for logits (n, k).

    >>> import torch
    >>> float(divergence(torch.tensor([[0.0, 0.0]]), torch.tensor([[2.0, 2.0]]), 2.0))
    0.0
    """
    from torch.nn.functional import kl_div, log_softmax

    own, other = (log_softmax(logits / temperature, 1) for logits in (outputs, goal))
    return kl_div(own, other, reduction="sum", log_target=True) / len(outputs)
