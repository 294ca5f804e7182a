"""Curvature at one moment of a training, beside what the optimiser bears there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from landscape.objective.flags import located
from landscape.objective.position import write_position
from landscape.objective.room import Vectors
from landscape.objective.streams import stream
from landscape.sharpness.measures.batch_sharpness import BatchSharpness
from landscape.spectrum.lanczos import LEAST_ROOM, top_eigenpairs
from landscape.stability.threshold import moment
from minima.store.command import BadInput, note
from minima.store.hdf5.record import write
from minima.zoo.data.holdout import holdout
from minima.zoo.examples.inputs import part_of
from minima.zoo.seeds import derive

if TYPE_CHECKING:
    from landscape.objective.objective import Objective
    from landscape.stability.threshold import Moment
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject
from landscape.stability.flags import Stability
from landscape.stability.numbers import NUMBERS


def compute(subject: Subject, place: Place, arguments: Stability) -> dict[str, Any]:
    """Measure one moment of a trajectory, write it to its place, and return what the JSON object says of it.

    Each moment is measured by itself (no start from the eigenvector of the one before), so that a run that was stopped
    goes on to the same numbers. The network is in eval mode: where training normalised by each batch or dropped units,
    its steps felt another curvature.
    """
    subject, trained = _trained_on(subject)
    when = moment(subject.checkpoint, subject.step or 0, trained)
    objective, where, _ = located(subject, arguments, Vectors(1 + LEAST_ROOM))
    found = _curvature(objective, when, arguments)
    if when.not_told:
        missing = ", ".join(when.not_told)
        note(f"{subject.name}: the recorder of this training was not told {missing}: what rests on them is null")
    if not found["converged"]:
        note(f"{subject.name}: the products allowed did not bring the eigenvalue within the tolerance")
    write_position(place, "stability", where)
    write(place, "stability", NUMBERS, found)
    level = objective.evaluate().said() | {"samples": len(subject.x)}
    return (
        where
        | level
        | found
        | {
            "batch_size": when.batch_size,
            "no_threshold": when.unknown,
            "recipe_not_told": list(when.not_told),
        }
    )


def _trained_on(subject: Subject) -> tuple[Subject, int]:
    """The subject without the examples that training held out for validation, and how many training used in all."""
    import torch

    training = subject.checkpoint.training
    held = training.get("validation", 0.0), training.get("split_seed", 0)  # of others' loops it is all that is named
    used, _ = holdout(subject.available, *held)
    kept = torch.isin(subject.rows, used)
    if not kept.any():
        raise BadInput(f"--samples {len(subject.x)}: training held all of them out. Type more")
    here = kept.to(subject.device)
    return replace(subject, x=part_of(subject.x, here), y=part_of(subject.y, here), rows=subject.rows[kept]), len(used)


def _curvature(objective: Objective, when: Moment, arguments: Stability) -> dict[str, Any]:
    """The numbers of `NUMBERS`, and whether the eigenvalue converged."""
    draws, size, room = stream(arguments.seed, "lanczos"), objective.dimension, objective.keeper.vector_bytes
    top = top_eigenpairs(
        objective.hvp, lambda: objective.normal(draws), size, 1, tolerance=arguments.tolerance, memory=room
    )
    seed = derive(arguments.seed, "moment", 0 if when.update is None else int(when.update))
    sharpness = None
    if when.batch_size is not None:
        sharpness = BatchSharpness(batch=when.batch_size, batches=arguments.batches).measure(objective, seed)
    return {
        "update": when.update,
        "lambda_max": float(top.values[0]),
        "residual": float(top.residuals[0]),
        "converged": top.converged,
        "batch_sharpness": sharpness and sharpness.value,
        "batch_sharpness_stderr": sharpness and sharpness.stderr,
        "batch_sharpness_of_means": sharpness and sharpness.values.get("quotient_of_means"),
        "weight_decay": when.weight_decay,
        "learning_rate": when.learning_rate,
        "threshold": when.threshold,
    }
