"""Loss and error along the way between two networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from landscape.objective.batch_norm import check_reestimated
from landscape.objective.comparable import parameters, state_of, union
from landscape.objective.flags import mean_loss
from landscape.path.arc import Arc, check_ends
from landscape.path.barrier import barrier, rise_over_ends
from landscape.path.connection import BendTraining, connect
from landscape.path.curve import curves
from landscape.path.levels import has_batch_norm, levels, positions
from landscape.path.numbers import BARRIERS, BEND, RISES, WHOLE
from landscape.symmetry.alignment import align
from minima.store.command import BadInput
from minima.store.hdf5 import record
from minima.store.messages import progress_bar
from minima.zoo.seeds import derive
from minima.zoo.training.recipe import Recipe

if TYPE_CHECKING:
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject
from landscape.path.flags import Connection, Path


def compute(subjects: list[Subject], place: Place, arguments: Path) -> dict[str, Any]:
    """Evaluate two subjects and what lies between, write it to the place, and return what the JSON object says."""
    first, second = subjects
    return walk(first, second, place, arguments, arguments.seed) | {"subspace": arguments.subspace}


def walk(first: Subject, second: Subject, place: Place, connection: Connection, seed: int) -> dict[str, Any]:
    """Measure loss and error along a way between two networks, written to `place`; numbers that are drawn are from the
    `seed`.
    """
    check_ends(first, second)
    _check_statistics(first, connection)
    aligned: dict[str, Any] = {}
    if connection.align == "weights":
        second, aligned = align(first, second, seed)
    arc = _arc(first, second, place, connection, seed)
    course = _walk(arc, first, place, connection)
    barriers = {kind: barrier(course["t"], course[kind]) for kind in ("loss", "error")}
    rises = {kind: rise_over_ends(course[kind]) for kind in ("loss", "error")}
    length = (parameters(first, arc.first) - parameters(first, arc.last)).norm().item()
    record.write(place, "path", BARRIERS, barriers)
    record.write(place, "path", RISES, rises)
    record.write(place, "path", WHOLE, {"accuracy": [1 - error for error in course["error"]], "distance": length})
    _write_arc(place, first, arc)
    return {
        "loss": [course["loss"][0], course["loss"][-1]],
        "accuracy": [1 - course["error"][0], 1 - course["error"][-1]],
        "gradient_norm": [mean_loss(each, "survivors").gradient().norm().item() for each in (first, second)],
        "kind": connection.kind,
        "bend_epochs": connection.epochs if arc.curve.bent else None,
        "align": connection.align,
        "t": course["t"],
        "losses": course["loss"],
        "errors": course["error"],
        "barrier": barriers,
        "rise_over_ends": rises,
        "distance": length,
        "batch_norm": connection.batch_norm if has_batch_norm(first) else None,
    } | aligned


def _check_statistics(subject: Subject, connection: Connection) -> None:
    if connection.reestimates:
        check_reestimated(subject.model)
    if curves()[connection.kind].bent and not connection.reestimates and has_batch_norm(subject):
        raise BadInput(
            f"--kind {connection.kind}: the bend is trained on the statistics of batches, so that batch norm has no "
            "running ones there to interpolate.\nAdd --batch-norm re-estimate, and to the line it is compared with"
        )


def _arc(first: Subject, second: Subject, place: Place, connection: Connection, seed: int) -> Arc:
    """The curve, its bend trained if it has one."""
    curve = curves()[connection.kind]()
    straight = Arc(curve, state_of(first), state_of(second))
    if not curve.bent:
        return straight

    return connect(straight, first, union(first.masks, second.masks), _bend_training(connection, seed), place)


def _bend_training(connection: Connection, seed: int) -> BendTraining:
    recipe = Recipe(
        optimiser="adam",
        lr=connection.lr,
        weight_decay=0.0,
        batch_size=connection.examples_per_step,
        schedule="cosine",
    )
    return BendTraining(connection.epochs, recipe, derive(seed, "bend"))


def _walk(arc: Arc, subject: Subject, place: Place, connection: Connection) -> dict[str, list[float]]:
    """t, and loss and error at each; those that a stopped run evaluated are not evaluated again."""
    t = positions(connection.points)
    place.scale("path/t", t, "1", "position between the first (0) and the second checkpoint (1)")
    errors = place.rows("path/error", (len(t),), ("t",), "1", "fraction of the examples classified wrong")
    losses = place.rows("path/loss", (len(t),), ("t",), subject.task.loss.unit, f"mean {subject.task.loss.name}")
    missing = losses.missing()
    found = levels(arc, subject, [t[row] for row in missing], reestimated=connection.reestimates)
    for row, (loss, error) in zip(
        missing, progress_bar(found, desc="path", total=len(missing), unit="point"), strict=True
    ):
        errors.set(row, error)
        losses.set(row, loss)  # last: a point with a loss is a finished one
    return {"t": t, "loss": losses.values.tolist(), "error": errors.values.tolist()}


def _write_arc(place: Place, first: Subject, arc: Arc) -> None:
    """What curve it is, and the weights that it bends towards."""
    place.attributes("path", kind=arc.curve.name, formula=arc.curve.formula)
    if arc.bend is not None:
        weights = parameters(first, arc.bend)
        place.scale("path/weight", range(len(weights)), "1", "weight, in the order of the network's parameters")
        record.write(place, "path", [BEND], {BEND.key: weights.float()})
