"""Barriers from each level of pruning to the next."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from landscape.path.pairs import described, walk_pairs
from minima.store.checkpoints.checkpoint import sparsity
from minima.store.hdf5.record import Number, write

if TYPE_CHECKING:
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject
from landscape.successive.flags import Successive

SPARSITY = Number("sparsity", "1", "fraction of the second's prunable weights removed", ("pair",), key="sparsities")
KINDS = ("loss", "error")
ABOVE_SIBLINGS = [
    Number(
        f"above_siblings_{kind}",
        units,
        "barrier less that between the siblings, the last pair",
        ("pair",),
        key=kind,
    )
    for kind, units in zip(KINDS, ("nat", "1"), strict=True)
]


def compute(subjects: list[Subject], place: Place, arguments: Successive) -> dict[str, Any]:
    """Walk from level to level, write the barriers to the place, and return what the JSON object says."""
    levels = subjects[:-2] if arguments.siblings else subjects
    pairs = [*pairwise(levels), *([(subjects[-2], subjects[-1])] if arguments.siblings else [])]
    courses = walk_pairs(pairs, place, "successive", arguments)
    removed = [sparsity(second.checkpoint.masks) for _, second in pairs]
    write(place, "successive", [SPARSITY], {SPARSITY.key: removed})
    own = described(pairs, courses, arguments) | {"pairs": [[each.name for each in pair] for pair in pairs]}
    own |= {"sparsities": removed, "sibling_barrier": None, "above_siblings": None}
    if not arguments.siblings:
        return own
    barriers = own["barrier"]
    above = {kind: [height - barriers[kind][-1] for height in barriers[kind]] for kind in KINDS}
    write(place, "successive", ABOVE_SIBLINGS, above)
    return own | {"sibling_barrier": {kind: barriers[kind][-1] for kind in KINDS}, "above_siblings": above}
