"""`python -m pruning.masks CKPT...`: what a mask has left of a network, layer by layer, and how far masks overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minima.store.command import Report, run

if TYPE_CHECKING:
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject
from pruning.masks.flags import Masks
from pruning.masks.report import table


def main(arguments: Masks) -> Report:
    """Look at every checkpoint named on the command line."""
    from minima.zoo.measuring.each import measure_each
    from pruning.masks.compute import compute, conclude

    def work(subject: Subject, place: Place) -> dict[str, Any]:
        return compute(subject, place, arguments.memory)

    return measure_each(arguments, "masks", work, table, conclude=conclude)


if __name__ == "__main__":
    run(Masks, main, prog="python -m pruning.masks", description=__doc__ or "")
