"""`python -m pruning easier` and its kin: from flags to a finished checkpoint, and what is said about it."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from minima.store.checkpoints.checkpoint import load, save
from minima.store.checkpoints.safetensors_file import content_hash
from minima.store.command import BadInput, Report, note
from minima.store.files import check_distinct, check_writable
from minima.store.reading import sha256
from minima.zoo.anatomy.activation_modules import activation_modules
from minima.zoo.anatomy.narrowing.manifest import Manifest
from minima.zoo.data.splits import said_levels
from minima.zoo.subject.flags import loaded
from minima.zoo.subject.subject import Choice, Reader
from minima.zoo.subject.task_entry import task_entry
from minima.zoo.training.keeping import state_on_cpu
from minima.zoo.training.plan import Plan
from minima.zoo.training.unfinished import reusable, unfinished
from pruning.linearising.removing import costs, removed
from pruning.linearising.report import text
from pruning.linearising.rounds import Rounds
from pruning.running.job import say_defaults, trained_by
from pruning.running.parent import Parent

if TYPE_CHECKING:
    from minima.store.checkpoints.checkpoint import Checkpoint
    from pruning.linearising.flags import TakeLayers
    from pruning.linearising.rounds import Course


def main(arguments: TakeLayers) -> Report:
    """Run the rounds unless the checkpoint is there already."""
    _check(arguments)
    parent = _parent(arguments)
    plan = plan_of(arguments, parent)
    identity = _identity(arguments, parent, plan)
    start = time.perf_counter()
    there = reusable(arguments.out, identity, arguments.overwrite)
    if there is None:
        _make(arguments, parent, plan, identity)
        there = load(arguments.out)
    else:
        note(f"{arguments.out}: there already, made with these arguments")
    summary = {
        "checkpoint": str(arguments.checkpoint),
        "method": arguments.method.name,
        "out": str(arguments.out),
        "sha256": sha256(arguments.out),
        **there.metrics["layers"],
        **said_levels(there.metrics),
        "seconds": time.perf_counter() - start,
    }
    return Report(summary, text(summary))


def _check(arguments: TakeLayers) -> None:
    if arguments.out.suffix not in (".pt", ".pth"):
        raise BadInput(f"-o {arguments.out}: what is written is a checkpoint: name a file that ends in .pt")
    for flag, value, fits, expected in (
        ("--drop", arguments.drop, 0 <= arguments.drop < 1, "a fraction, at least 0 and below 1"),
        ("--layers", arguments.layers, arguments.layers is None or arguments.layers >= 1, "1 or more"),
        ("--rounds", arguments.rounds, arguments.rounds >= 1, "1 or more"),
        ("--examples", arguments.examples, arguments.examples >= 1, "1 or more"),
    ):
        if not fits:
            raise BadInput(f"{flag} {value}: expected {expected}")
    check_writable(arguments.out)
    check_distinct(arguments.out, [arguments.checkpoint])


def _parent(arguments: TakeLayers) -> Parent:
    choice = Choice(**loaded(arguments), device=arguments.device, same_data=True)
    subject = Reader(choice).read(arguments.checkpoint)
    return Parent(arguments.checkpoint, content_hash(arguments.checkpoint), subject, subject.checkpoint)


def plan_of(arguments: TakeLayers, parent: Parent) -> Plan:
    """How each round trains: what the flags say, else as the parent was trained."""
    checkpoint, trained = parent.checkpoint, parent.checkpoint.training
    epochs = arguments.epochs if arguments.epochs is not None else trained.get("epochs")
    if epochs is None:
        raise BadInput(
            f"{parent.path} does not say how long it was trained.\nType how long a round trains: --epochs 10"
        )
    validation = trained.get("validation", 0.0) if arguments.validation is None else arguments.validation
    if not validation:
        raise BadInput(
            f"{arguments.method.name} needs examples it does not train on, and the parent's training held none out: "
            "give --validation 0.1"
        )
    if epochs:
        say_defaults(checkpoint)
    order_seed = arguments.order_seed
    return Plan(
        recipe=replace(trained_by(checkpoint), **arguments.recipe.given()),
        epochs=epochs,
        validation=validation,
        split_seed=trained.get("split_seed", checkpoint.seed),
        order_seed=trained.get("order_seed", checkpoint.seed) if order_seed is None else order_seed,
        task=task_entry(parent.subject.task),
    )


def _identity(arguments: TakeLayers, parent: Parent, plan: Plan) -> dict[str, Any]:
    """The fields that a finished checkpoint of this run has."""
    asked = {name: getattr(arguments, name) for name in ("drop", "layers", "rounds", "merge", "keep_wide")}
    return {
        "method": {"name": arguments.method.name, "arguments": asdict(arguments.method) | asked},
        "training": plan.stored(),
        "parent": parent.sha256,
        "data": parent.checkpoint.data,
        "seed": parent.checkpoint.seed,
    }


def _make(arguments: TakeLayers, parent: Parent, plan: Plan, identity: dict[str, Any]) -> None:
    subject = parent.subject
    _check_modules(arguments, parent)
    with unfinished(arguments.out, identity) as part:
        rounds = Rounds(
            arguments.method,
            subject.model,
            subject.masks,
            subject.splits(plan.validation, plan.split_seed),
            plan,
            drop=arguments.drop,
            layers=arguments.layers,
            rounds=arguments.rounds,
            part=part,
        )
        course = rounds.complete()
        save(_checkpoint(arguments, parent, identity, rounds, course), arguments.out)


def _check_modules(arguments: TakeLayers, parent: Parent) -> None:
    """Say which rectifiers cannot be put out; BadInput where none can."""
    found, others = activation_modules(parent.subject.model.eval(), parent.subject.x[:1], parent.subject.task.picked)
    if not found:
        first = next(iter(others.items()), ("the network", "it has no elementwise activation"))
        raise BadInput(
            f"{arguments.method.name}: no rectifier of the network can be put out: {first[0]}: {first[1]}.\n"
            "Make each activation a module of its own (self.relu1 = nn.ReLU())"
        )
    for site, why in others.items():
        note(f"{site}: stays as it is: {why}")


def _checkpoint(
    arguments: TakeLayers, parent: Parent, identity: dict[str, Any], rounds: Rounds, course: Course
) -> Checkpoint:
    """The network after the rounds, physically smaller where that can be done exactly."""
    model = rounds.model(course.out, course.state).eval()
    entry = dict(parent.checkpoint.model)
    if course.out:
        entry["shrunk"] = [*entry.get("shrunk", []), Manifest(identities=tuple(course.out)).plain()]
    left = {name: mask.cpu() for name, mask in course.masks.items() if not mask.all()}
    made = replace(
        parent.checkpoint,
        **identity,
        model=entry,
        state=state_on_cpu(model),
        masks=left,
        weights_at={},
        metrics=rounds.splits.metrics(model) | {"epochs": rounds.plan.epochs * len(course.rounds)},
    )
    wide, x = parent.subject.model.cpu(), parent.subject.x.to("cpu")
    small, notes = model.cpu(), list[str]()
    if not any(each["counts"] for each in course.rounds):
        notes.append("no round counts: the network is left as it is, and nothing is merged, folded or removed")
    elif not arguments.keep_wide:
        made, small, notes = removed(made, small, x, parent.sha256, arguments.merge)
    for each in notes:
        note(each)
    told = {
        "put_out": course.out,
        "rounds": course.rounds,
        **costs(wide, small, x, arguments.examples),
        "notes": notes,
    }
    return replace(made, metrics=made.metrics | {"layers": told})
