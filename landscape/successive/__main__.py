"""Barriers between successive levels of pruning: `python -m landscape.successive DENSE.pt P50.pt P90.pt`."""

from __future__ import annotations

from landscape.successive.flags import Successive
from landscape.successive.report import table
from minima.store.command import BadInput, Report, run


def main(arguments: Successive) -> Report:
    """Measure from each checkpoint named on the command line to the next."""
    from landscape.successive.compute import compute
    from minima.zoo.measuring.each import measure_together

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
