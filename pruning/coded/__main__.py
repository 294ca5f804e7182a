"""`python -m pruning.coded CKPT...`: how many bytes a network takes, quantised and coded, and its error then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minima.store.command import Report, run
from pruning.coded.flags import Coded, bits_of, check
from pruning.coded.report import table

if TYPE_CHECKING:
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject


def main(arguments: Coded) -> Report:
    """Look at every checkpoint named on the command line."""
    check(arguments)

    from minima.zoo.measuring.each import measure_each
    from pruning.coded.compute import compute

    def work(subject: Subject, place: Place) -> dict[str, Any]:
        return compute(subject, place, bits_of(arguments), arguments.step)

    return measure_each(arguments, "coded", work, table)


if __name__ == "__main__":
    run(Coded, main, prog="python -m pruning.coded", description=__doc__ or "")
