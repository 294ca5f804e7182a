"""Targets that name a class at each position: which axis of the outputs is the classes', and which positions count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Positions:
    """Outputs (n, C, ...) with one class index (n, ...) at each position, however they were stored."""

    logits: Tensor
    """(n, C, ...) the classes in the second axis"""
    labels: Tensor
    """(n, ...) int64; of positions that do not count any class"""
    counted: Tensor
    """(n, ...) bool"""

    def sum(self, values: Tensor) -> Tensor:
        """(n, ...) -> (n,) in float64: over the counted positions of each example."""
        return values.double().masked_fill(~self.counted, 0).reshape(len(self.labels), -1).sum(1)


def positions(outputs: Tensor, targets: Tensor, class_axis: int | None, ignore_index: int) -> Positions:
    """Outputs and targets with the class axis second and the positions that do not count told apart."""
    import torch

    axis = find_axis(outputs, targets, class_axis)
    logits = outputs.movedim(axis, 1)
    labels = targets.to(torch.int64)
    counted = labels != ignore_index
    return Positions(logits, labels.masked_fill(~counted, 0), counted)


def find_axis(outputs: Tensor, targets: Tensor, class_axis: int | None) -> int:
    """The axis of outputs (n, ...) that the classes lie along: the second, or the last where only that fits.

    Raises:
        BadInput: neither fits, or both do and none was typed.
    """
    shape, wanted = tuple(outputs.shape[1:]), tuple(targets.shape[1:])
    if outputs.ndim < 2:
        raise BadInput(
            f"the network's output has the shape {rows_of(shape)}; expected logits (N, classes), or another --loss"
        )
    fits = [axis for axis in dict.fromkeys((1, outputs.ndim - 1)) if shape[: axis - 1] + shape[axis:] == wanted]
    if class_axis is not None:
        axis = class_axis % outputs.ndim
        if axis == 0 or shape[: axis - 1] + shape[axis:] != wanted:
            raise BadInput(
                f"class_axis={class_axis}: outputs {rows_of(shape)} without that axis are not shaped like the targets "
                f"{rows_of(wanted)}"
            )
        return axis
    if not fits:
        raise BadInput(_misfit(shape, wanted))
    if len(fits) > 1:
        raise BadInput(
            f"outputs {rows_of(shape)} fit targets {rows_of(wanted)} with the classes along axis {fits[0]} and along "
            f"axis {fits[1]}.\nType --loss cross-entropy:class_axis={fits[0]} or class_axis={fits[1]}"
        )
    return fits[0]


def _misfit(shape: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """What to say of outputs (N, *shape) and targets (N, *wanted) that no class axis brings together."""
    squeezed = tuple(size for size in wanted if size != 1)
    if squeezed in (shape[1:], shape[:-1]):
        return (
            f"the targets have the shape {rows_of(wanted)}, with an axis of length 1 that class indices do not have:\n"
            f"store them as {rows_of(squeezed)} (y.squeeze() of the array)"
        )
    return (
        f"the network's output has the shape {rows_of(shape)} and the targets {rows_of(wanted)}: expected a class "
        "index at each position of the outputs but their class axis, the second or the last.\n"
        "Another --loss than cross-entropy: mse for numbers, bce for several yes-or-no labels"
    )


def check_labels(targets: Tensor, classes: int, loss: str, ignore_index: int | None = None) -> None:
    """Every counted label names one of the classes; some position counts.

    Args:
        loss: its name.
        ignore_index: the label of positions that do not count; None where all do.
    """
    import torch

    labels = targets.to(torch.int64)
    counted = torch.ones_like(labels, dtype=torch.bool) if ignore_index is None else labels != ignore_index
    wrong = ((labels < 0) | (labels >= classes)) & counted
    rows = wrong.reshape(len(targets), -1).any(1).nonzero()
    if len(rows):
        first = int(rows[0])
        found = labels[first][wrong[first]].reshape(-1)[0].item()
        from_one = int(labels[counted].min()) == 1 and int(labels[counted].max()) == classes
        raise BadInput(
            f"the label of example {first} is {found}, but the network has {classes} logits: "
            f"expected 0 to {classes - 1}" + _advice(found, from_one, loss, ignore_index)
        )
    if not bool(counted.any()):
        raise BadInput(f"all targets are {ignore_index} (ignore_index): no position counts, so there is no loss")


def _advice(found: float, from_one: bool, loss: str, ignore_index: int | None) -> str:
    """What to do about a label that is no class."""
    if from_one:
        return ".\nClasses are counted from 0, and these labels from 1: subtract 1 from them"
    if ignore_index is None:
        return f".\n--loss {loss} counts every position; where some are not to count, take --loss cross-entropy or nll"
    return (
        f", or {ignore_index} for what does not count;\n"
        f"if {found} is what does not count, add it to the loss: --loss {loss}:ignore_index={found}"
    )


def right(found: Positions) -> tuple[Tensor, Tensor]:
    """(n,) how many counted positions have their largest logit at the label, and (n,) how many count."""
    hits = found.logits.argmax(1) == found.labels
    return found.sum(hits), found.sum(found.counted)


def label_weights(
    outputs: Tensor, targets: Tensor, class_axis: int | None, ignore_index: int, weight: tuple[float, ...]
) -> Tensor:
    """(N,) in float64: the weights of the labels at each example's counted positions, summed.

    `outputs` (n, ...) may be those of other examples: they tell the class axis and the number of classes.
    """
    axis = find_axis(outputs, targets, class_axis)
    counted = targets != ignore_index
    own = counted.double()
    of_class = class_weights(weight, outputs.shape[axis], own)
    if of_class is not None:
        own = own * of_class[targets.long().masked_fill(~counted, 0)]
    return own.reshape(len(targets), -1).sum(1)


def class_weights(weight: tuple[float, ...], classes: int, like: Tensor) -> Tensor | None:
    """(C,) the weights of the classes; None where there are none."""
    import torch

    if not weight:
        return None
    if len(weight) != classes or min(weight) < 0 or not sum(weight) > 0:
        raise BadInput(
            f"weight={'x'.join(map(str, weight))}: expected a weight for each of the {classes} classes, none negative"
        )
    return torch.tensor(weight, dtype=like.dtype, device=like.device)


def rows_of(shape: Any) -> str:
    """The shape of all rows, in words.

    >>> rows_of(()), rows_of((3, 8))
    ('(N,)', '(N, 3, 8)')
    """
    return f"({', '.join(map(str, ('N', *shape)))}{',' if not shape else ''})"
