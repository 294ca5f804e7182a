"""What a part may look at when it is asked."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minima.zoo.examples.evaluation import evaluate
from minima.zoo.examples.task import CLASSIFICATION, Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from minima.zoo.training.recipe import Recipe
    from pruning.context.candidates import Candidates


@dataclass(frozen=True)
class Context:
    """The state of a run between two steps. Parts read it and leave it as it is."""

    model: nn.Module
    weights: Mapping[str, nn.Parameter]
    """the tensors sparsity is counted over"""
    masks: Mapping[str, Tensor]
    """of each of them, and of what a cut removes with them; True = kept"""
    x: Any
    y: Any
    """the training part"""
    validation: tuple[Any, Any] | None
    """the held-out part, if the composition asked for one"""
    losses: Sequence[float]
    """validation loss at each epoch's end since the last cut"""
    cuts: int
    """made so far"""
    events: int
    """of the schedule, behind the run"""
    progress: float
    """fraction of the run that is behind it"""
    memory: MutableMapping[str, Tensor]
    """what an exchange wrote down for the next"""
    seen: Sequence[Sequence[float]]
    """what the trigger noted at the start of the run and at each epoch's end"""
    seed: int
    batch_size: int
    recipe: Recipe
    rate: float
    """learning rate of the next step"""
    space: Candidates
    """what competes in this network"""
    task: Task = CLASSIFICATION
    """by which loss the network is judged"""

    def validation_loss(self, masks: Mapping[str, Tensor]) -> float:
        """The loss on the held-out part with `masks` in force; the weights are back afterwards."""
        if self.validation is None:
            raise ValueError("a part asks for a validation loss without declaring `validates = True`")
        with _masked(self.model, masks):
            return evaluate(self.model, *self.validation, task=self.task).loss


def raised(loss: float, share: float) -> float:
    """A loss that is higher by a share of its size: of one below zero as well.

    >>> raised(2.0, 0.5), raised(-2.0, 0.5)
    (3.0, -1.0)
    """
    return loss * (1 + share) if loss >= 0 else loss * (1 - share)


@contextmanager
def _masked(model: nn.Module, masks: Mapping[str, Tensor]) -> Iterator[None]:
    import torch

    weights = {name: model.get_parameter(name) for name in masks}
    saved = {name: weight.detach().clone() for name, weight in weights.items()}
    with torch.no_grad():
        try:
            for name, weight in weights.items():
                weight.masked_fill_(~masks[name], 0)
            yield
        finally:
            for name, weight in weights.items():
                weight.copy_(saved[name])
