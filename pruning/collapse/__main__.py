"""`python -m pruning.collapse CKPT...`: how far methods cut before a layer is left without a weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minima.store.command import BadInput, Report, run

if TYPE_CHECKING:
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject
from pruning.collapse.flags import Collapse, named
from pruning.collapse.report import table


def main(arguments: Collapse) -> Report:
    """Look at every checkpoint named on the command line."""
    chosen = {words: named(words) for words in arguments.methods}
    if not chosen:
        raise BadInput("--methods: none is named; type for example --methods snip synflow")

    from minima.zoo.measuring.each import measure_each
    from pruning.collapse.compute import compute

    def work(subject: Subject, place: Place) -> dict[str, Any]:
        return compute(subject, place, chosen, arguments.seed)

    return measure_each(arguments, "collapse", work, table)


if __name__ == "__main__":
    run(Collapse, main, prog="python -m pruning.collapse", description=__doc__ or "")
