"""Whether training is stable to the order of its data from epoch k on: `python -m landscape.instability A0 B0 A4 B4`.

Frankle et al. 2020, "Linear Mode Connectivity and the Lottery Ticket Hypothesis": siblings share their first k epochs
and then see the examples in another order each; the error barrier between them, against k.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from landscape.along import Along
from store.command import BadInput, Report, render_table, run
from zoo.measuring import measure_together

if TYPE_CHECKING:
    from store.results import Place
    from zoo.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Instability(Along):
    """Flags of `python -m landscape.instability`: pairs of siblings, whose files say how many epochs they share."""


def compute(subjects: list[Subject], place: Place, arguments: Instability) -> dict[str, Any]:
    """Walk between the siblings, write their barriers to the place, and return what the JSON object says."""
    from landscape.pairs import described, walk_pairs
    from landscape.shared_epochs import shared_epochs

    pairs = list(zip(subjects[::2], subjects[1::2], strict=True))
    shared = [shared_epochs(*pair) for pair in pairs]
    courses = walk_pairs(pairs, place, "instability", arguments)
    place.write("instability/shared_epochs", shared, ("pair",), "1", "epochs k that the siblings were trained together")
    return described(pairs, courses, arguments) | {"shared_epochs": shared}


def table(summary: dict[str, Any]) -> str:
    """A line for each pair, by k."""
    rows = sorted(
        zip(summary["shared_epochs"], summary["barrier"]["loss"], summary["barrier"]["error"], strict=True),
    )
    cells = [[epochs, loss, f"{100 * error:.2f}"] for epochs, loss, error in rows]
    return "\n".join(
        [
            render_table(["shared epochs", "loss barrier", "error barrier (points)"], cells),
            "",
            f"largest rise above the chord between siblings, in nat and in percentage points of "
            f"{summary['samples']:,} examples ({summary['split']}), at {len(summary['t'])} values of t",
        ]
    )


def main(arguments: Instability) -> Report:
    """Measure the pairs of checkpoints named on the command line."""
    count = len(arguments.checkpoints)
    if count < 2 or count % 2:
        raise BadInput(
            f"siblings come in pairs, {count} checkpoints were named: "
            "landscape.instability A0.pt B0.pt A4.pt B4.pt -o FILE.h5"
        )
    arguments.check()
    return measure_together(
        arguments, "instability", lambda subjects, place: compute(subjects, place, arguments), table
    )


if __name__ == "__main__":
    run(Instability, main, prog="python -m landscape.instability", description=__doc__ or "")
