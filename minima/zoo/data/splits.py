"""The three parts of a dataset that training sees: train, validation (held out of train), test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput
from minima.zoo.data.holdout import holdout
from minima.zoo.examples.evaluation import evaluate
from minima.zoo.examples.inputs import part_of
from minima.zoo.examples.intake import AS_THEY_ARE, Intake
from minima.zoo.examples.targets import own_targets
from minima.zoo.examples.task import CLASSIFICATION, Task

if TYPE_CHECKING:
    import torch
    from torch import nn

    from minima.zoo.data.dataset import Dataset

    Examples = tuple[Any, Any]

NOT_THERE = {"loss": None, "accuracy": None}
"""of a part without examples"""


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


def said_levels(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What JSON objects say of a checkpoint's `metrics`: of the test part, and behind `train_` of the train part.

    >>> said_levels({"train": {"loss": 0.5, "accuracy": 0.75, "samples": 4}})["train_score"]
    0.75
    """
    test, train = (metrics.get(part, NOT_THERE) for part in ("test", "train"))
    name = train.get("score_name", "accuracy")
    return {
        "loss": test["loss"],
        "accuracy": test["accuracy"],
        "score": test.get("score", test["accuracy"]),
        "score_name": name,
        "train_loss": train["loss"],
        "train_accuracy": train["accuracy"],
        "train_score": train.get("score", train["accuracy"]),
    }


def score_column(rows: Sequence[Mapping[str, Any]]) -> str:
    """What a table calls the score of all its rows."""
    names = {str(row["score_name"] or "score") for row in rows}
    return names.pop() if len(names) == 1 else "score"


def make_splits(
    dataset: Dataset,
    validation: float,
    split_seed: int,
    device: torch.device,
    task: Task = CLASSIFICATION,
    intake: Intake = AS_THEY_ARE,
) -> Splits:
    """Hold the fraction `validation` of the train split out, at random by `split_seed`; without a test split that part
    is empty.

    `intake`: how the network takes inputs.

    Raises:
        BadInput: there is no train split, or it has no targets.
    """
    if not 0 <= validation < 1:
        raise BadInput(f"--validation must be at least 0 and below 1, not {validation}")
    x, y = _examples(dataset, "train", device, intake, task)
    train, held = holdout(len(x), validation, split_seed)
    empty = x[:0], y[:0]
    there = dataset.x_test is not None and (dataset.y_test is not None or dataset.y_train is None)
    test = _examples(dataset, "test", device, intake, task) if there else empty
    return Splits((part_of(x, train), part_of(y, train)), (part_of(x, held), part_of(y, held)), test, task)


def _examples(dataset: Dataset, name: str, device: torch.device, intake: Intake, task: Task) -> Examples:
    """Inputs and targets of a split, on the device that trains."""
    if (dataset.x_train if name == "train" else dataset.x_test) is None:
        raise BadInput(
            f"the data have no {name} split, and there is nothing to train on without: name data with x_train"
        )
    x, y = dataset.split(name)
    if y is None and (made := own_targets(task.loss, x)) is not None:
        y = made[0]
    if y is None:
        raise BadInput(
            f"the data have no targets y_{name}, and the loss {task.loss.name} needs some. Those of an autoencoder are "
            "its inputs (--loss mse), those of a language model its tokens (--loss next-token)"
        )
    return intake(x).to(device), y.to(device)
