"""`python -m entropy.psp CKPT`: how class-specific a network's neurons are (PSP-entropy)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entropy.psp.report import table
from minima.store.command import run

if TYPE_CHECKING:
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject
from entropy.psp.flags import Psp


def main(arguments: Psp) -> Any:
    """Measure every checkpoint named on the command line."""
    from entropy.information.shared_alive import conclude
    from entropy.psp.compute import compute
    from minima.zoo.measuring.each import measure_each

    def compute_with_flags(subject: Subject, place: Place) -> dict[str, Any]:
        return compute(subject, place, arguments)

    return measure_each(arguments, "psp", compute_with_flags, table, conclude=conclude)


if __name__ == "__main__":
    run(Psp, main, prog="python -m entropy.psp")
