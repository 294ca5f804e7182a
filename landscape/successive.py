"""Barriers between successive levels of pruning: `python -m landscape.successive DENSE.pt P50.pt P90.pt`."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from landscape.along import Along
from store.command import BadInput, Report, render_table, run
from zoo.measuring import measure_together

if TYPE_CHECKING:
    from store.results import Place
    from zoo.subject import Subject

KINDS = ("loss", "error")


@dataclass(frozen=True, kw_only=True)
class Successive(Along):
    """Flags of `python -m landscape.successive`: from each checkpoint to the next."""

    siblings: bool = False
    """the last two checkpoints are no levels but siblings (one start, one method, another data order each): the
    barrier between them is what the others are read against"""


def compute(subjects: list[Subject], place: Place, arguments: Successive) -> dict[str, Any]:
    """Walk from level to level, write the barriers to the place, and return what the JSON object says."""
    from landscape.pairs import described, walk_pairs
    from store.checkpoint import sparsity

    levels = subjects[:-2] if arguments.siblings else subjects
    pairs = [*pairwise(levels), *([(subjects[-2], subjects[-1])] if arguments.siblings else [])]
    courses = walk_pairs(pairs, place, "successive", arguments)
    removed = [sparsity(second.checkpoint.masks) for _, second in pairs]
    place.write("successive/sparsity", removed, ("pair",), "1", "fraction of the second's prunable weights removed")
    own = described(pairs, courses, arguments) | {"pairs": [[each.name for each in pair] for pair in pairs]}
    own |= {"sparsities": removed, "sibling_barrier": None, "above_siblings": None}
    if not arguments.siblings:
        return own
    barriers = own["barrier"]
    above = {kind: [height - barriers[kind][-1] for height in barriers[kind]] for kind in KINDS}
    for kind, units in zip(KINDS, ("nat", "1"), strict=True):
        meaning = "barrier less that between the siblings, the last pair"
        place.write(f"successive/above_siblings_{kind}", above[kind], ("pair",), units, meaning)
    return own | {"sibling_barrier": {kind: barriers[kind][-1] for kind in KINDS}, "above_siblings": above}


def table(summary: dict[str, Any]) -> str:
    """A line for each pair."""
    heads = ["from", "to", "sparsity", "loss barrier", "error barrier (points)"]
    columns = [summary["sparsities"], summary["barrier"]["loss"], summary["barrier"]["error"]]
    rows = [
        [*names, f"{removed:.2%}", loss, f"{100 * error:.2f}"]
        for names, removed, loss, error in zip(summary["pairs"], *columns, strict=True)
    ]
    said = "Read them against a sibling barrier: name two siblings at the end, and add --siblings"
    if summary["above_siblings"]:
        heads.append("error above siblings")
        for row, error in zip(rows, summary["above_siblings"]["error"], strict=True):
            row.append(f"{100 * error:+.2f}")
        said = "the last line is the siblings'"
    return "\n".join([render_table(heads, rows), "", f"{said}; {summary['samples']:,} examples ({summary['split']})"])


def main(arguments: Successive) -> Report:
    """Measure from each checkpoint named on the command line to the next."""
    least = 4 if arguments.siblings else 2
    if len(arguments.checkpoints) < least:
        raise BadInput(
            f"{len(arguments.checkpoints)} checkpoints were named, expected {least} or more: landscape.successive "
            f"A.pt B.pt C.pt{' S1.pt S2.pt --siblings' if arguments.siblings else ''} -o FILE.h5"
        )
    arguments.check()
    return measure_together(arguments, "successive", lambda subjects, place: compute(subjects, place, arguments), table)


if __name__ == "__main__":
    run(Successive, main, prog="python -m landscape.successive", description=__doc__ or "")
