"""Checkpoints read, and networks evaluated, from Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from minima.store.messages import listening
from minima.zoo.examples.evaluation import evaluate as over
from minima.zoo.subject.handed import LossLike, subject_of
from minima.zoo.subject.subject import Choice, Reader

if TYPE_CHECKING:
    from torch import nn

    from minima.zoo.examples.evaluation import Evaluation
    from minima.zoo.subject.subject import Subject


def load_checkpoint(path: str | Path, step: int | None = None, **choice: Any) -> Subject:
    """A network, its masks and its data from a checkpoint of this suite, a foreign one, or a moment of a trajectory.

    Args:
        path: the file.
        step: which moment of a trajectory.
        choice: fields of `minima.zoo.subject.subject.Choice`: of a foreign file `model` ("file.py:Net", "hf:FOLDER")
            and `data`; `split`, `samples`, `loss`, `device`, ...

    Returns:
        with `model`, `masks`, `x`, `y`, `task.loss`: what the functions of this suite take, as in
        `measure_sharpness(found.model, found, found.task.loss, masks=found.masks)`.

    Raises:
        BadInput: the file is none of these, or does not fit the network or the data.
    """
    if choice.get("data_root") is not None:
        choice["data_root"] = Path(choice["data_root"])
    return Reader(Choice(**choice)).read(Path(path), step)


def evaluate(
    model: nn.Module,
    data: Any,
    loss: LossLike = None,
    *,
    output: str | None = None,
    batch_size: int | None = None,
    split: Literal["train", "test"] = "test",
) -> Evaluation:
    """Mean loss of a network in eval mode over all examples, and the score beside it.

    L = sum_i s_i / sum_i w_i, sums being float64, so that a ragged last batch changes nothing.

    Args:
        model: any module; it stays as it is.
        data: (x, y), or whatever `minima.zoo.data.examples.as_examples` reads.
        loss: a name ("mse", "cross-entropy:label_smoothing=0.1"), a `Loss`, or a function of outputs and targets;
            None: cross-entropy, of one logit the binary one.
        output: which of several outputs.
        batch_size: examples at once; the result depends on it by rounding only.
        split: of a `Dataset` of minima.

    >>> import torch
    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> _ = torch.nn.init.ones_(model.weight)
    >>> evaluate(model, (torch.tensor([[1.0], [2.0]]), torch.tensor([[0.0], [2.0]])), "mse").loss
    0.5
    """
    with listening():
        subject = subject_of(model, data, loss, output=output, batch_size=batch_size, split=split)
        return over(subject.model, subject.x, subject.y, subject.batch_size, task=subject.task)
