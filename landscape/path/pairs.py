"""The straight lines between several pairs of networks, and their barriers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from landscape.objective.comparable import state_of
from landscape.objective.flags import mean_loss
from landscape.path.arc import Arc, check_ends
from landscape.path.barrier import barrier
from landscape.path.curves.line import Line
from landscape.path.levels import has_batch_norm, levels, positions
from landscape.path.numbers import OF_PAIRS
from minima.store.hdf5.record import write
from minima.store.messages import progress_bar

if TYPE_CHECKING:
    from landscape.path.walk_flags import WalkFlags
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject

Pair = tuple["Subject", "Subject"]


@dataclass(frozen=True)
class Courses:
    """Loss and error along the line between the two networks of each pair."""

    t: list[float]
    loss: list[list[float]]
    """(pairs, points) mean cross-entropy"""
    error: list[list[float]]
    """(pairs, points) fraction of the examples classified wrong"""

    @property
    def barriers(self) -> dict[str, list[float]]:
        """The barrier of each pair: the largest rise over the chord between the ends, in loss and in error."""
        heights = {"loss": self.loss, "error": self.error}
        return {kind: [barrier(self.t, values) for values in rows] for kind, rows in heights.items()}


def walk_pairs(pairs: Sequence[Pair], place: Place, group: str, arguments: WalkFlags) -> Courses:
    """Evaluate each pair's line and write all to a group of the place; the pairs of a stopped run are there already."""
    for first, second in pairs:
        check_ends(first, second)
    t, shape, dims = positions(arguments.points), (len(pairs), arguments.points), ("pair", "t")
    place.scale(f"{group}/t", t, "1", "position between the first (0) and the second network (1) of a pair")
    place.scale(f"{group}/pair", [f"{first.name} to {second.name}" for first, second in pairs], "1", "networks")
    errors = place.rows(f"{group}/error", shape, dims, "1", "fraction of the examples classified wrong")
    measured = pairs[0][0].task.loss
    losses = place.rows(f"{group}/loss", shape, dims, measured.unit, f"mean {measured.name}")
    for row in progress_bar(losses.missing(), desc=group, unit="pair"):
        first, second = pairs[row]
        line = Arc(Line(), state_of(first), state_of(second))
        loss, error = zip(*levels(line, first, t, reestimated=arguments.reestimates), strict=True)
        errors.set(row, error)
        losses.set(row, loss)  # last: a pair with a loss is a finished one
    found = Courses(t, losses.values.tolist(), errors.values.tolist())
    write(place, group, OF_PAIRS, found.barriers)
    return found


def described(pairs: Sequence[Pair], courses: Courses, arguments: WalkFlags) -> dict[str, Any]:
    """What the JSON object says of them; loss, accuracy and norm of the gradient at both ends of each."""
    return {
        "loss": [[row[0], row[-1]] for row in courses.loss],
        "accuracy": [[1 - row[0], 1 - row[-1]] for row in courses.error],
        "gradient_norm": [[_slope(subject) for subject in pair] for pair in pairs],
        "subspace": arguments.subspace,
        "t": courses.t,
        "losses": courses.loss,
        "errors": courses.error,
        "barrier": courses.barriers,
        "batch_norm": arguments.batch_norm if has_batch_norm(pairs[0][0]) else None,
    }


def _slope(subject: Subject) -> float:
    return mean_loss(subject, "survivors").gradient().norm().item()
