"""What one run is to make: every decision taken, every check made, before any work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from minima.store.checkpoints.checkpoint import Checkpoint
from minima.store.command import BadInput, note
from minima.store.files import check_distinct, check_writable
from minima.zoo.subject.network import must_be_typed
from minima.zoo.subject.task_entry import task_entry
from minima.zoo.training.plan import Plan
from minima.zoo.training.recipe import Recipe
from pruning.composition.composition import Composition
from pruning.composition.cutting import reachable
from pruning.composition.guards import Guards
from pruning.composition.method import Method
from pruning.context.candidates import Candidates, Heads
from pruning.context.counts import MEASURES
from pruning.context.starts import NotHeld
from pruning.running.arguments import Prune, PruneUnits
from pruning.running.parent import Parent, load_parent, with_drawn_weights
from pruning.running.path import check_path
from pruning.running.uncounted import say_what_is_not_counted


@dataclass(frozen=True)
class Job:
    """One run: it writes a checkpoint for each of its levels."""

    parent: Parent
    method: Method
    plan: Plan
    seed: int
    targets: Mapping[float, Path]
    """level, the share to remove, -> file, ascending"""
    measure: str = "sparsity"
    """of what it is a share: a key of `MEASURES`"""
    heads: Heads = "groups"
    keep_path: bool = False
    accept_noise: bool = False
    """changes nothing about a checkpoint, only whether it is made"""

    @property
    def composition(self) -> Composition:
        """The parts of the job's method, with the guards that its flags ask for."""
        guards = Guards(self.keep_path, "accept" if self.accept_noise else "refuse")
        return replace(self.method.composition().counting(self.measure, self.heads), guards=guards)

    @property
    def asked(self) -> tuple[float, ...]:
        """The levels asked for, ascending."""
        return tuple(self.targets)

    def identity(self) -> dict[str, Any]:
        """The fields that a finished checkpoint of this run has."""
        parent = self.parent.checkpoint
        method: dict[str, Any] = {
            "name": self.method.name,
            "arguments": asdict(self.method),
            self.measure: list(self.asked),
            "seed": self.seed,
        }
        method |= {"sets_rate": True} if self.composition.recovery.sets_rate else {}
        method |= {"keep_path": True} if self.keep_path else {}
        method |= {"heads": self.heads} if self.heads != "groups" else {}
        method |= {"initial": self.parent.initial} if self.parent.initial else {}
        return {
            "method": method,
            "training": self.plan.stored(),
            "parent": self.parent.sha256,
            "model": parent.model,
            "data": parent.data,
            "seed": parent.seed,
        }


def plan_jobs(arguments: Prune) -> list[Job]:
    """The runs a command line asks for; BadInput for whatever could stop them."""
    measure, levels = _target(arguments)
    heads: Heads = arguments.heads if isinstance(arguments, PruneUnits) else "groups"
    composition = arguments.method.composition().counting(measure, heads)
    parent = _with_what_it_begins_at(arguments, composition, load_parent(arguments))
    space = composition.space.on(parent.subject.model, parent.subject.x)
    asked = _asked(measure, levels, space, parent)
    targets = _targets(arguments, measure, asked)
    plan = _plan(arguments, composition, parent)
    seed = parent.checkpoint.seed if arguments.seed is None else arguments.seed
    together = composition.schedule.gradual and not arguments.each
    runs = [targets] if together else [{sparsity: targets[sparsity]} for sparsity in asked]
    if must_be_typed(str(parent.checkpoint.model["name"])):
        say_what_is_not_counted(space, parent.subject.model)
    weights = composition.space.weights(parent.subject.model)
    check_path(arguments, composition, parent.subject, all_masks(weights, parent))
    how = measure, heads, arguments.keep_path, arguments.accept_noise
    return [Job(parent, arguments.method, plan, seed, run, *how) for run in runs]


def _target(arguments: Prune) -> tuple[str, tuple[float, ...]]:
    """Of what a share is to be removed, and the shares."""
    given = {name: tuple(getattr(arguments, name, ())) for name in MEASURES}
    wanted = {name: levels for name, levels in given.items() if levels}
    if len(wanted) > 1:
        raise BadInput(f"{' and '.join(f'--{name}' for name in wanted)} each say how much to remove: give one of them")
    if not wanted and isinstance(arguments, PruneUnits):
        flags = ", ".join(f"--{name}" for name in MEASURES)
        raise BadInput(
            f"nothing says how much to remove: give one of {flags}, each the share that goes; for example --units 0.5"
        )
    return next(iter(wanted.items()), ("sparsity", ()))


def _with_what_it_begins_at(arguments: Prune, composition: Composition, parent: Parent) -> Parent:
    """The parent with the weights that the method starts from or goes back to; BadInput where they are nowhere."""
    try:
        composition.recovery.check(parent.checkpoint)
        composition.start.weights(parent.checkpoint)
    except NotHeld as missing:
        if parent.subject.ours or missing.epoch:
            raise
        return with_drawn_weights(parent, arguments)
    return parent


def _asked(measure: str, levels: Sequence[float], space: Candidates, parent: Parent) -> tuple[float, ...]:
    for remark in space.remarks():
        note(remark)
    masks = all_masks(space.masked(parent.subject.model), parent)
    if not masks:
        raise BadInput("the network has no convolution or linear weights: there is nothing to prune")
    return reachable(space, masks, tuple(levels), measure)


def all_masks(weights: Mapping[str, Any], parent: Parent) -> dict[str, Any]:
    """Masks of these tensors: the parent's, and others that keep everything."""
    import torch

    dense = {name: torch.ones(weight.shape, dtype=torch.bool) for name, weight in weights.items()}
    return dense | {name: mask for name, mask in parent.checkpoint.masks.items() if name in dense}


def _targets(arguments: Prune, measure: str, asked: tuple[float, ...]) -> dict[float, Path]:
    place, several = f"{{{measure}}}", "sparsities" if measure == "sparsity" else "levels"
    if len(asked) > 1 and place not in arguments.out:
        raise BadInput(
            f"--out {arguments.out}: {len(asked)} {several} need a name with {place} in it, "
            f"for example -o 'runs/x.{arguments.method.name}-{place}.pt'"
        )
    targets = {level: Path(arguments.out.replace(place, repr(level))) for level in asked}
    for target in targets.values():
        check_writable(target)
        check_distinct(target, [arguments.checkpoint])
    return targets


def _plan(arguments: Prune, composition: Composition, parent: Parent) -> Plan:
    """What the flags say; what they leave open, the parent's training."""
    checkpoint = parent.checkpoint
    trained = checkpoint.training
    epochs = _epochs(arguments, parent)
    validation = trained.get("validation", 0.0) if arguments.validation is None else arguments.validation
    if composition.validates and not validation:
        raise BadInput(
            f"{arguments.method.name} needs examples it does not train on, and the parent's training held none out: "
            "give --validation 0.1"
        )
    order_seed = arguments.order_seed
    if epochs:
        say_defaults(checkpoint)
    return Plan(
        recipe=replace(composition.start.recipe(trained_by(checkpoint)), **arguments.recipe.given()),
        epochs=epochs,
        validation=validation,
        split_seed=trained.get("split_seed", checkpoint.seed),
        order_seed=trained.get("order_seed", checkpoint.seed) if order_seed is None else order_seed,
        keep=arguments.keep,
        keep_unit=arguments.keep_unit,
        task=task_entry(parent.subject.task),
    )


def _epochs(arguments: Prune, parent: Parent) -> int:
    """How long the run trains: what a flag says, else the parent's training, else not at all, which is said."""
    epochs: int | None = arguments.epochs
    if epochs is None:
        epochs = parent.checkpoint.training.get("epochs")
    if epochs is not None:
        return epochs
    if arguments.method.phase == "during training":
        raise BadInput(
            f"{arguments.method.name} prunes during training, and {parent.path} does not say how long to train.\n"
            "Type --epochs 10, and what else a run needs: --lr, --optimiser, --batch-size"
        )
    note(
        f"{parent.path.name} does not say how long it was trained, so nothing is trained or fine-tuned: --epochs 0. "
        "Give --epochs N, and --lr and its kin, for a run that trains"
    )
    return 0


def say_defaults(parent: Checkpoint) -> None:
    """Say which recipe is taken where `trained_by` finds none."""
    if "recipe" not in parent.training:
        note("the checkpoint does not say how it was trained: taking the defaults of minima.train")


def trained_by(parent: Checkpoint) -> Recipe:
    """The recipe of the parent's training; where the file does not say, the defaults of minima.train."""
    if "recipe" not in parent.training:
        return Recipe()
    stored = parent.training["recipe"]
    return Recipe(**stored | {"milestones": tuple(stored["milestones"])})
