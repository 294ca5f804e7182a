"""Every flag of a study's commands checked as the commands themselves would, before any work."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any

from entropy.layers.flags import Layers
from entropy.psp.flags import Psp
from entropy.transfer.flags import Transfer, check_recipe
from figures.study.configuration.build import flag_names
from figures.study.engine.jobs import LONGEST_LINE, Plan, Step
from landscape.hessian import flags as hessian
from landscape.instability.flags import Instability
from landscape.path.flags import Path as LossPath
from landscape.sharpness import flags as sharpness
from landscape.stability import flags as stability
from landscape.successive.flags import Successive
from landscape.surface import flags as surface
from landscape.survivors.flags import Survivors
from landscape.topology.flags import Topology
from minima.store.command import BadInput, parse
from minima.zoo.training.flags import Train
from pruning.collapse.flags import Collapse, named
from pruning.composition.layer_method import LayerMethod, layer_methods
from pruning.composition.method import methods
from pruning.linearising.flags import arguments_of as layers_of
from pruning.masks.flags import Masks
from pruning.running.arguments import arguments_of

Check = Callable[[Any], object]
COMMANDS: dict[str, tuple[Callable[[], type[Any]], Check | None]] = {
    "minima.train": (lambda: Train, lambda arguments: arguments.recipe.check()),
    "landscape.sharpness": (sharpness.flags, lambda arguments: arguments.chosen()),
    "landscape.hessian": (lambda: hessian.Hessian, hessian.check),
    "landscape.surface": (lambda: surface.Surface, surface.check),
    "landscape.path": (lambda: LossPath, None),
    "landscape.stability": (lambda: stability.Stability, stability.check),
    "landscape.instability": (lambda: Instability, None),
    "landscape.successive": (lambda: Successive, None),
    "landscape.survivors": (lambda: Survivors, None),
    "landscape.topology": (lambda: Topology, None),
    "entropy.psp": (lambda: Psp, None),
    "entropy.layers": (lambda: Layers, None),
    "entropy.transfer": (lambda: Transfer, lambda arguments: check_recipe(arguments.recipe)),
    "pruning.masks": (lambda: Masks, None),
    "pruning.collapse": (lambda: Collapse, lambda arguments: [named(words) for words in arguments.methods]),
}
"""the flags of each, and what can be refused of them without a network"""
NOISE = "╭╮╰╯│─ "


def check_commands(plan: Plan, where: str) -> None:
    """Check the flags of one command for each key and module of a study; the others differ in names of files only.

    Raises:
        BadInput: the file (`where`), the key, the command and what it does not take.
    """
    seen = set()
    for job in plan.jobs:
        if len(job.line.encode()) > LONGEST_LINE:
            raise BadInput(
                f"{where}: the command of {job.name} has {len(job.line)} letters, more than a shell takes in one line. "
                "Ask for fewer seeds"
            )
        for step in job.steps:
            if (step.asked, step.module) not in seen and (step.module in COMMANDS or step.module == "pruning"):
                seen.add((step.asked, step.module))
                _check(step, f"{where}: {step.asked}")


def prune_arguments(step: Step) -> Any:
    """The flags of a step of `python -m pruning METHOD`, as that command reads them."""
    method, *words = step.given
    flags: Any = layers_of(layer_methods()[method]) if method in layer_methods() else arguments_of(methods()[method])
    return parse(flags, f"python -m pruning {method}", (*words, *step.flags))


def train_arguments(step: Step) -> Train:
    """The flags of a step of `python -m minima.train`, as that command reads them."""
    return parse(Train, "python -m minima.train", (*step.given, *step.flags))


def _check(step: Step, where: str) -> None:
    twice = [name for name in flag_names(step.flags) if name in flag_names(step.given)]
    if twice:
        raise BadInput(f"{where}: {twice[0]} is given by the study itself: leave it out of the flags")
    command = f"python -m {step.module}" + (f" {step.given[0]}" if step.module == "pruning" else "")
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            _read(step)
    except BadInput as error:
        raise BadInput(f"{where}: {command}: {error}") from error
    except SystemExit as end:
        told = [line.strip(NOISE) for line in said.getvalue().splitlines()]
        reason = next((line for line in told[1:] if line), "it does not say why")
        raise BadInput(f"{where}: {command} does not take {' '.join(step.flags) or 'this'}\n  {reason}") from end


def _read(step: Step) -> None:
    """As the command reads its flags; what it prints where it refuses them is not for this place."""
    if step.module == "pruning":
        method = prune_arguments(step).method
        if not isinstance(method, LayerMethod):
            method.composition()
        return
    flags, further = COMMANDS[step.module]
    parsed = parse(flags(), f"python -m {step.module}", (*step.given, *step.flags))
    if further:
        further(parsed)
