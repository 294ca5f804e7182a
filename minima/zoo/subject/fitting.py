"""Whether network, data and loss belong together: found out on a few examples before anything is measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from minima.store.command import BadInput
from minima.zoo.examples.evaluation import evaluating
from minima.zoo.examples.inputs import Inputs, call, dtypes, leaves, mapped, shapes
from minima.zoo.examples.intake import AS_THEY_ARE, Intake, counts
from minima.zoo.examples.outputs import pick, said_of
from minima.zoo.examples.targets import own_targets
from minima.zoo.examples.task import Task
from minima.zoo.losses.named.bce import BinaryCrossEntropy
from minima.zoo.losses.named.cross_entropy import CrossEntropy
from minima.zoo.losses.named.next_token import NextToken
from minima.zoo.subject.precision import inputs_dtype

if TYPE_CHECKING:
    from torch import nn

IntegersAs = Literal["int64", "float32"]
CAUSAL = ("ForCausalLM", "LMHeadModel")
"""how transformers calls networks that predict the next token"""
SOME = 16
"""examples that are looked at"""


@dataclass(frozen=True)
class Fitted:
    """The examples as the network takes them, the task as it suits its outputs, and what was assumed."""

    x: Inputs
    y: Any
    task: Task
    notes: tuple[str, ...] = ()
    intake: Intake = AS_THEY_ARE
    """what was done to the inputs"""


def fit_together(
    model: nn.Module, x: Inputs, y: Any, task: Task | None, path: Path | str, integers: IntegersAs | None = None
) -> Fitted:
    """Put a few examples through the network, in eval mode, and see that all fits.

    Args:
        x: inputs of all examples used, (N, ...), on the network's device; floats get the data type of its weights.
        y: their targets; None where there are none.
        task: what was asked for; None leaves it to the network: cross-entropy, of one logit with labels 0 and 1 the
            binary one, of a language model of transformers that of the next token.
        path: what the network is called in messages.
        integers: how integer inputs are handed on; None finds out.

    Raises:
        BadInput: the network does not take the inputs, or writes into them, or its outputs do not fit the targets.
    """
    notes: list[str] = []
    intake, returned = _taken(model, x, path, integers, notes)
    x = intake(x)
    if task is None and _says_next_token(model, y):
        task = Task(NextToken())
        notes.append(f"{type(model).__name__} predicts the next token: the loss is next-token")
    if y is None and task is not None and (made := own_targets(task.loss, x)) is not None:
        y, said = made
        notes.append(said)
    if y is None:
        return Fitted(x, y, task or Task(), tuple(notes), intake)
    some = y[: min(SOME, len(y))]
    if task is None:
        task = Task(_default(returned, y, notes))
    try:
        task = task.checked(returned, y, some)
        if not task.whole:
            if task.output is None and (several := said_of(returned)) is not None:
                notes.append(several)
            notes += task.loss.notes(task.picked(returned), some)
        notes += _copies(task, x[:SOME], some)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error
    return Fitted(x, y, task, tuple(notes), intake)


def _taken(
    model: nn.Module, x: Inputs, path: Path | str, integers: IntegersAs | None, notes: list[str]
) -> tuple[Intake, Any]:
    """How the network takes the inputs, and what it returns for the first few."""
    plain, floats = Intake(inputs_dtype(model)), Intake(inputs_dtype(model), as_floats=True)
    intake = floats if integers == "float32" else plain
    whole = any(counts(leaf) for leaf in leaves(x))
    first = _tried(model, intake(x[:SOME]))
    if whole and integers is None and isinstance(first, Exception):
        second = _tried(model, floats(x[:SOME]))
        if not isinstance(second, Exception):
            notes.append("integer inputs are handed on as floats of the same values: the network takes no integers")
            return floats, second
    if isinstance(first, Exception):
        raise BadInput(
            f"{path}: the network does not take inputs of shape {shapes(x)} and type "
            f"{dtypes(x)}: "
            f"{type(first).__name__}: {str(first).strip().splitlines()[0] if str(first).strip() else ''}.\n"
            "What they are can be typed: --input-shape 3,32,32, --input-dtype float32, --scale 0.00392"
        ) from first
    return intake, first


def _tried(model: nn.Module, x: Inputs) -> Any:
    """What the network returns, or the error that it ends in; BadInput where it writes into its inputs or weights."""
    import torch

    from minima.zoo.examples.renormalising import Renormalising, renormalises

    handed, renormalising = mapped(x, torch.clone), Renormalising()  # clones: whose count of writes begins at 0
    try:
        with evaluating(model), torch.no_grad(), renormalising:
            returned = call(model, handed)
    except Exception as error:  # the user's own code may raise anything
        return error
    if any(not leaf.is_inference() and leaf._version for leaf in leaves(handed)):
        raise BadInput(
            "the network changes its inputs in place: every further pass would see other data, and so would the "
            "caller.\nLet its forward begin with x = x.clone()"
        )
    if renormalising.used and not renormalises(model):
        raise BadInput(
            "the network calls functional.embedding with max_norm, which changes the weight in place with every pass.\n"
            "Let nn.Embedding(..., max_norm=...) or nn.EmbeddingBag do it, whose rows are shortened in a copy"
        )
    return returned


def _says_next_token(model: nn.Module, y: Any) -> bool:
    """Whether the network is one of transformers' language models, and the targets, if any, are tokens (N, T)."""
    return (
        type(model).__module__.startswith("transformers.")
        and type(model).__name__.endswith(CAUSAL)
        and (y is None or (y.ndim == 2 and not y.is_floating_point()))
    )


def _copies(task: Task, x: Inputs, y: Any) -> list[str]:
    """What is said where each position's label is its own token, which is not what a language model predicts."""
    if not isinstance(task.loss, CrossEntropy) or y.ndim < 2 or y.is_floating_point():
        return []
    counted = y != task.loss.ignore_index
    for leaf in leaves(x):
        if counts(leaf) and leaf.shape == y.shape and bool((leaf == y)[counted].all()):
            return [
                "the labels are the inputs' own tokens, each at its own position. "
                "If the network predicts the next one, type --loss next-token"
            ]
    return []


def _default(returned: Any, y: Any, notes: list[str]) -> CrossEntropy | BinaryCrossEntropy:
    """Cross-entropy; where the network has one logit and the labels are 0 and 1, the binary one, which is said."""
    outputs = pick(returned)
    one = outputs.shape[1:].numel() == 1 and not y.is_floating_point() and y.ndim <= outputs.ndim
    if one and bool(((y == 0) | (y == 1)).all()):
        notes.append("the network has one logit and the labels are 0 and 1: the loss is bce")
        return BinaryCrossEntropy()
    return CrossEntropy()
