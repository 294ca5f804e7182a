"""By which loss a network is judged: what a checkpoint keeps of it, and what is made of that again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minima.zoo.examples.task import Task
from minima.zoo.losses.named.cross_entropy import CrossEntropy
from minima.zoo.losses.spec import described, parse_loss, restored, stored


def task_entry(task: Task) -> dict[str, Any] | None:
    """What a checkpoint's entry `training` holds under `task`; None of the plain cross-entropy of the only output."""
    if task.loss == CrossEntropy() and task.output is None:
        return None
    return {"loss": stored(described(task.loss)), "output": task.output}


def asked_task(training: Mapping[str, Any], loss: str | None, output: str | None) -> Task | None:
    """What was asked for on the command line, else in a checkpoint's training; None leaves it to the outputs."""
    entry = training.get("task") or {}
    kept = entry.get("loss")
    if loss is None and kept is None:
        return None if output is None else Task(output=output)
    return Task(parse_loss(restored(kept, loss)), output or entry.get("output"))
