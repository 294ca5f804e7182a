"""Whether network, data and loss belong together: found out on a few examples before anything is measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from minima.store.command import BadInput
from minima.zoo.examples.inputs import Inputs, Several, call, dtypes, leaves, shapes
from minima.zoo.examples.outputs import pick
from minima.zoo.examples.task import Task
from minima.zoo.losses.named.bce import BinaryCrossEntropy
from minima.zoo.losses.named.cross_entropy import CrossEntropy

if TYPE_CHECKING:
    from torch import Tensor, nn

IntegersAs = Literal["int64", "float32"]
SOME = 16
"""examples that are looked at"""


@dataclass(frozen=True)
class Fitted:
    """The examples as the network takes them, the task as it suits its outputs, and what was assumed."""

    x: Inputs
    y: Any
    task: Task
    notes: tuple[str, ...] = ()


def fit_together(
    model: nn.Module, x: Inputs, y: Any, task: Task | None, path: Path | str, integers: IntegersAs | None = None
) -> Fitted:
    """Put a few examples through the network, in eval mode, and see that all fits.

    Args:
        x: inputs of all examples used, (N, ...), on the network's device.
        y: their targets; None where there are none.
        task: what was asked for; None leaves it to the outputs: cross-entropy, or of one logit with labels 0 and 1 the
            binary one.
        path: what the network is called in messages.
        integers: how integer inputs are handed on; None finds out.

    Raises:
        BadInput: the network does not take the inputs, or its outputs do not fit the targets.
    """
    notes: list[str] = []
    x, returned = _taken(model, x, path, integers, notes)
    if y is None:
        return Fitted(x, y, task or Task(), tuple(notes))
    some = y[: min(SOME, len(y))]
    if task is None:
        task = Task(_default(returned, y, notes))
    try:
        task = task.checked(returned, y, some)
        if not task.whole:
            notes += task.loss.notes(task.picked(returned), some)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error
    return Fitted(x, y, task, tuple(notes))


def _taken(
    model: nn.Module, x: Inputs, path: Path | str, integers: IntegersAs | None, notes: list[str]
) -> tuple[Inputs, Any]:
    """The inputs as the network takes them, and what it returns for the first few."""
    if integers == "float32":
        x = _as_floats(x)
    whole = any(_counts(leaf) for leaf in leaves(x))
    first = _tried(model, x[:SOME])
    if whole and integers is None and isinstance(first, Exception):
        second = _tried(model, _as_floats(x[:SOME]))
        if not isinstance(second, Exception):
            notes.append("integer inputs are handed on as floats of the same values: the network takes no integers")
            return _as_floats(x), second
    if isinstance(first, Exception):
        raise BadInput(
            f"{path}: the network does not take inputs of shape {shapes(x)} and type "
            f"{dtypes(x)}: "
            f"{type(first).__name__}: {str(first).strip().splitlines()[0] if str(first).strip() else ''}.\n"
            "What they are can be typed: --input-shape 3,32,32, --input-dtype float32, --scale 0.00392"
        ) from first
    return x, first


def _tried(model: nn.Module, x: Inputs) -> Any:
    """What the network returns, or the error that it ends in."""
    import torch

    try:
        with torch.no_grad():
            return call(model, x)
    except Exception as error:  # the user's own code may raise anything
        return error


def _counts(leaf: Tensor) -> bool:
    """Whether a tensor holds whole numbers."""
    return not (leaf.is_floating_point() or leaf.is_complex()) and str(leaf.dtype) != "torch.bool"


def _as_floats(x: Inputs) -> Inputs:
    def converted(leaf: Tensor) -> Tensor:
        return leaf.float() if _counts(leaf) else leaf

    return x.map(converted) if isinstance(x, Several) else converted(x)


def _default(returned: Any, y: Any, notes: list[str]) -> CrossEntropy | BinaryCrossEntropy:
    """Cross-entropy; where the network has one logit and the labels are 0 and 1, the binary one, which is said."""
    outputs = pick(returned)
    one = outputs.shape[1:].numel() == 1 and not y.is_floating_point() and y.ndim <= outputs.ndim
    if one and bool(((y == 0) | (y == 1)).all()):
        notes.append("the network has one logit and the labels are 0 and 1: the loss is bce")
        return BinaryCrossEntropy()
    return CrossEntropy()
