"""Whether a smaller network is there already, made by the same line from the same checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from minima.store.checkpoints.checkpoint import load
from minima.store.command import BadInput
from minima.store.files import digest
from minima.zoo.training.unfinished import ADVICE
from pruning.shrink.flags import Shrink

if TYPE_CHECKING:
    from minima.store.checkpoints.checkpoint import Checkpoint
    from minima.zoo.subject.subject import Subject

ENTRY = "shrink"
"""of a checkpoint's metrics: what was asked and what came out, but for times"""
DECIDING = ("fold_batch_norm", "vanishing", "stuck", "merge", "by_data", "within", "split")
"""flags on which the file depends"""


def asked_of(arguments: Shrink, subject: Subject, parent: str) -> dict[str, Any]:
    """What the file depends on: the checkpoint's hash, the network and data as they were read, and the flags."""
    flags = {f"--{name.replace('_', '-')}": getattr(arguments, name) for name in DECIDING}
    read = {"network": digest(subject.checkpoint.model), "data": digest(subject.checkpoint.data)}
    return {"checkpoint": parent, **read, **flags}


def with_record(made: Checkpoint, asked: Mapping[str, Any], told: Mapping[str, Any]) -> Checkpoint:
    """The checkpoint with what `reusable` looks for."""
    return replace(made, metrics=made.metrics | {ENTRY: {"asked": dict(asked), "told": dict(told)}})


def reusable(arguments: Shrink, asked: Mapping[str, Any]) -> dict[str, Any] | None:
    """What was told of the finished file at --out; None where it is to be made.

    Raises:
        BadInput: something else is there, and --overwrite is not given.
    """
    if arguments.overwrite or not arguments.out.exists():
        return None
    try:
        found = load(arguments.out)
    except BadInput as error:
        raise BadInput(f"{arguments.out} exists and is another file. {ADVICE}") from error
    record = found.metrics.get(ENTRY)
    if record is None or found.parent != asked["checkpoint"]:
        raise BadInput(f"{arguments.out} exists, and was not made from {arguments.checkpoint} as it is now.\n{ADVICE}")
    others = [name for name, value in asked.items() if record["asked"].get(name) != value]
    if others:
        raise BadInput(f"{arguments.out} exists but was made with another {' and '.join(others)}.\n{ADVICE}")
    told: dict[str, Any] = record["told"]
    return told
