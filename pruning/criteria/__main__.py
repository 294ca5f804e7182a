"""`python -m pruning.criteria CKPT...`: do criteria rank a layer's units alike, and is it Gaussian?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minima.store.command import Report, run
from pruning.criteria.flags import Criteria, check
from pruning.criteria.report import table

if TYPE_CHECKING:
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject


def main(arguments: Criteria) -> Report:
    """Look at every checkpoint named on the command line."""
    check(arguments)

    from minima.zoo.measuring.each import measure_each
    from pruning.criteria.compute import compute

    draws = arguments.draws if arguments.surrogate else 0

    def work(subject: Subject, place: Place) -> dict[str, Any]:
        return compute(subject, place, arguments.criteria, draws, arguments.seed)

    return measure_each(arguments, "criteria", work, table)


if __name__ == "__main__":
    run(Criteria, main, prog="python -m pruning.criteria", description=__doc__ or "")
