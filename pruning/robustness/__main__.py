"""What perturbed inputs and weights leave of a network: `python -m pruning.robustness CKPT...`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minima.store.command import Report, run
from pruning.robustness.flags import Robustness, flags
from pruning.robustness.report import table

if TYPE_CHECKING:
    from minima.store.hdf5.results import Place
    from minima.zoo.subject.subject import Subject


def main(arguments: Robustness) -> Report:
    """Try every checkpoint named on the command line."""
    chosen = arguments.chosen()

    from minima.zoo.measuring.each import measure_each
    from pruning.robustness.compute import compute

    def work(subject: Subject, place: Place) -> dict[str, Any]:
        return compute(subject, place, chosen, arguments.seed, arguments.input_range, arguments.watermark)

    return measure_each(arguments, "robustness", work, table)


if __name__ == "__main__":
    run(flags(), main, prog="python -m pruning.robustness", description=__doc__ or "")
