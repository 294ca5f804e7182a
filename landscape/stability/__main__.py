"""Curvature over training beside what the optimiser bears (edge of stability): `python -m landscape.stability FILE`."""

from __future__ import annotations

from dataclasses import replace

from landscape.stability.flags import Stability, check
from landscape.stability.report import table
from minima.store.command import Report, run


def main(arguments: Stability) -> Report:
    """Measure every moment of the trajectories named on the command line."""
    check(arguments)

    from landscape.stability.compute import compute
    from minima.zoo.measuring.each import measure_each

    report = measure_each(arguments, "stability", lambda subject, place: compute(subject, place, arguments), str)
    return replace(report, table=table(report.summary))


if __name__ == "__main__":
    run(Stability, main, prog="python -m landscape.stability", description=__doc__ or "")
