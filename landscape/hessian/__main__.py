"""Largest eigenvalues of the Hessian of the mean loss, or of its kin: `python -m landscape.hessian CKPT`."""

from __future__ import annotations

from landscape.hessian.flags import Hessian, check
from landscape.hessian.report import table
from minima.store.command import Report, run


def main(arguments: Hessian) -> Report:
    """Measure every checkpoint named on the command line."""
    check(arguments)

    from landscape.hessian.compute import compute
    from minima.zoo.measuring.each import measure_each

    return measure_each(arguments, "hessian", lambda subject, place: compute(subject, place, arguments), table)


if __name__ == "__main__":
    run(Hessian, main, prog="python -m landscape.hessian", description=__doc__ or "")
