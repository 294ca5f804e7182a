"""Barriers between siblings, beside the epochs that they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from landscape.path.pairs import described, walk_pairs
from landscape.path.shared_epochs import shared_epochs
from minima.store.hdf5.record import Number, write

if TYPE_CHECKING:
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject
from landscape.instability.flags import Instability

SHARED = Number("shared_epochs", "1", "epochs k that the siblings were trained together", ("pair",))


def compute(subjects: list[Subject], place: Place, arguments: Instability) -> dict[str, Any]:
    """Walk between the siblings, write their barriers to the place, and return what the JSON object says."""
    pairs = list(zip(subjects[::2], subjects[1::2], strict=True))
    shared = [shared_epochs(*pair) for pair in pairs]
    courses = walk_pairs(pairs, place, "instability", arguments)
    write(place, "instability", [SHARED], {SHARED.key: shared})
    return described(pairs, courses, arguments) | {"shared_epochs": shared}
