"""Whether a network still leads from its input to its output: asked before the work and after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from minima.store.command import BadInput, note
from minima.zoo.anatomy.paths.reachability import carries, shape_of
from minima.zoo.examples.inputs import Inputs
from pruning.composition.keeping_path import bottlenecks
from pruning.scopes.entropy_budget import EntropyBudget
from pruning.spaces.elements import Elements
from pruning.spaces.units import Units

if TYPE_CHECKING:
    from torch import Tensor, nn

    from minima.zoo.subject.subject import Subject
    from pruning.composition.composition import Composition
    from pruning.running.arguments import Prune


def check_path(arguments: Prune, parts: Composition, subject: Subject, masks: Mapping[str, Tensor]) -> None:
    """Before the work: a warning where the method is about to cut the network; BadInput where a path cannot be kept."""
    name = arguments.method.name
    moves = parts.regrow is not None or parts.straight_through is not None or not isinstance(parts.space, Elements)
    if arguments.keep_path and isinstance(parts.space, Units):
        raise BadInput(f"--keep-path: {name} removes whole units, of which every layer keeps some; leave it out")
    if arguments.keep_path and moves:
        raise BadInput(f"--keep-path: {name} moves weights after it has cut, so no path can be held; leave it out")
    empties = isinstance(parts.scope, EntropyBudget) and not parts.scope.least
    if not (empties or arguments.keep_path):
        return

    try:
        alone = bottlenecks(subject.model, shape_of(subject.x), masks)
    except Exception as reason:  # the user's own code may raise anything on marks in the place of numbers
        said = str(reason).strip().partition("\n")[0]
        if not isinstance(reason, BadInput):
            said = f"paths through this network cannot be followed: {type(reason).__name__}: {said}"
        if arguments.keep_path:
            raise BadInput(f"--keep-path: {said}") from None
        note(f"{name} empties whole layers, and whether shortcuts lead past them cannot be told: {said}")
        return
    if alone and not arguments.keep_path:
        shown = ", ".join(layer.removesuffix(".weight") for layer in alone)
        note(
            f"{name} empties whole layers, and no shortcut leads past {shown}: with one of them empty the outputs are "
            "the same for every example.\nGive --keep-path to keep the weights of one path, or --least 0.1 to keep a "
            "part of every layer"
        )


def connected(model: nn.Module, x: Inputs, masks: Mapping[str, Tensor]) -> bool | None:
    """Whether a path leads from the input to the output; None where that cannot be told."""
    try:
        return carries(model, shape_of(x), masks)
    except Exception:  # the user's own code may raise anything on marks in the place of numbers
        return None
