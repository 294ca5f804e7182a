"""How sharp the minimum is that a network sits in, by several measures: `python -m landscape.sharpness CKPT`."""

from __future__ import annotations

from landscape.sharpness.flags import Sharpness, flags
from landscape.sharpness.report import table
from minima.store.command import Report, run


def main(arguments: Sharpness) -> Report:
    """Measure every checkpoint named on the command line."""
    arguments.chosen()

    from landscape.sharpness.compute import compute
    from minima.zoo.measuring.each import measure_each

    return measure_each(arguments, "sharpness", lambda subject, place: compute(subject, place, arguments), table)


if __name__ == "__main__":
    run(flags(), main, prog="python -m landscape.sharpness", description=__doc__ or "")
