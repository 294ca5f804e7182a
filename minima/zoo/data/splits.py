"""The three parts of a dataset that training sees: train, validation (held out of train), test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput
from minima.zoo.examples.evaluation import evaluate
from minima.zoo.examples.task import CLASSIFICATION, Task
from minima.zoo.examples.inputs import part_of
from minima.zoo.data.holdout import holdout

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from minima.zoo.data.dataset import Dataset

    Examples = tuple[Any, Any]


@dataclass(frozen=True)
class Splits:
    """Inputs and labels of each part, on the device that trains."""

    train: Examples
    validation: Examples
    test: Examples
    task: Task = CLASSIFICATION
    """by which loss outputs are judged"""

    def metrics(self, model: nn.Module) -> dict[str, Any]:
        """Loss, score and samples on every part that is not empty."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: evaluate(model, *part, task=self.task).summary() for name, part in parts.items() if len(part[0])}


def make_splits(
    dataset: Dataset, validation: float, split_seed: int, device: torch.device, task: Task = CLASSIFICATION
) -> Splits:
    """Hold the fraction `validation` of the train split out, at random by `split_seed`."""
    if not 0 <= validation < 1:
        raise BadInput(f"--validation must be at least 0 and below 1, not {validation}")
    train, held = holdout(len(dataset.x_train), validation, split_seed)
    (x, y), test = ([each.to(device) for each in dataset.split(name)] for name in ("train", "test"))
    return Splits((part_of(x, train), part_of(y, train)), (part_of(x, held), part_of(y, held)), (test[0], test[1]), task)
