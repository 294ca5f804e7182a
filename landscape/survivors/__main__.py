"""A pruned network's curvature beside its dense parent's: `python -m landscape.survivors PRUNED.pt --parent DENSE.pt`.

Of four Hessians of the mean loss over the same examples: of the pruned network over its survivors; of the parent over
all its weights; of the parent over the survivors' coordinates only, and over random ones, as many in each layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from landscape.survivors.report import table
from minima.store.command import BadInput, Report, run
from minima.zoo.measuring.each import measure_each

if TYPE_CHECKING:
    pass
from landscape.survivors.compute import compute
from landscape.survivors.flags import Survivors


def main(arguments: Survivors) -> Report:
    """Measure every pruned checkpoint named on the command line beside its parent."""
    for flag, value, least in (
        ("top", arguments.top, 1),
        ("trace", arguments.trace, 1),
        ("masks", arguments.masks, 0),
    ):
        if value < least:
            raise BadInput(f"--{flag} {value}: expected a number of at least {least}")
    if not arguments.tolerance > 0:
        raise BadInput(f"--tolerance {arguments.tolerance}: expected a positive number, such as 1e-3")
    arguments.check_memory()
    return measure_each(
        arguments, "survivors", lambda subject, place: compute(subject, place, arguments), table, write_level=False
    )


if __name__ == "__main__":
    run(Survivors, main, prog="python -m landscape.survivors", description=__doc__ or "")
